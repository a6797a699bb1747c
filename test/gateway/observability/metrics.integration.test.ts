import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { frameMessage, Peer } from '../../../harness/peer.ts';
import { PostPeer } from '../../../harness/post-peer.ts';
import { shownPoints } from '../../support/calibrating.ts';

const TOKEN = 'scraper-token-of-the-tests';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ METRICS_TOKEN: TOKEN });
});

afterAll(() => gateway.dispose());

async function scrape(): Promise<Map<string, number>> {
  const response = await fetch(new URL('/metrics', gateway.url), { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('/metrics', () => {
  it('is for who has the token', async () => {
    const url = new URL('/metrics', gateway.url);
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: 'Bearer guess' } })).status).toBe(401);
  });

  it('counts messages in, answers out by outcome, sessions and windows', async () => {
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(1));
    await peer.start();
    peer.send(frameMessage(0, 10, Uint8Array.of(1, 2, 3)));
    await peer.update(0);
    peer.send({ kind: 'same', seq: 1, captureMs: 400, late: false });
    await peer.update(1);
    const during = await scrape();
    expect(during.get('gaze_relay_messages_received_total{kind="frame"}')).toBe(1);
    expect(during.get('gaze_relay_messages_received_total{kind="same"}')).toBe(1);
    expect(during.get('gaze_relay_messages_answered_total{outcome="unserved"}')).toBe(1);
    expect(during.get('gaze_relay_messages_answered_total{outcome="processed"}')).toBe(1);
    expect(during.get('gaze_relay_inference_answers_total{status="unavailable"}')).toBe(1);
    expect(during.get('gaze_relay_sessions{mode="server",phase="tracking",state="unknown"}')).toBe(1);
    peer.sendControl({ type: 'calibrate_finish', points: shownPoints(0, 10) });
    await peer.control('calibration_refused');
    expect((await scrape()).get('gaze_relay_calibrations_total{outcome="not_open"}')).toBe(1);
    await peer.stop(500);
    await peer.close();
    let after = await scrape();
    const settled = () =>
      after.get('gaze_relay_sessions_detached') === 1 && after.get('gaze_relay_spool_windows') === 0;
    while (!settled()) after = await scrape();
    expect(after.get('gaze_relay_spool_set_aside_windows')).toBe(0);
  });

  it('counts connections by what carries them', async () => {
    const posts = new PostPeer(gateway.url);
    await posts.hello(await gateway.ticket(2));
    const peer = await Peer.open(gateway.url);
    const during = await scrape();
    expect(during.get('gaze_relay_connections{transport="post"}')).toBe(1);
    expect(during.get('gaze_relay_connections{transport="websocket"}')).toBe(1);
    await peer.close();
  });

  it('counts pages of origins that are not allowed', async () => {
    await expect(Peer.open(gateway.url, { origin: 'https://elsewhere.example' })).rejects.toThrow();
    expect((await scrape()).get('gaze_relay_origins_refused_total')).toBe(1);
  });

  it('tells nothing about a person', async () => {
    const names = [...(await scrape()).keys()].join('\n');
    expect(names).not.toMatch(/user_?id|student|session_?id/i);
  });
});
