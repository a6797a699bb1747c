import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORIGIN, startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { binaryPart, PostPeer, postBody, refusalOf, textPart } from '../../../harness/post-peer.ts';
import { waitFor } from '../../../harness/wait-for.ts';

const START = textPart({
  type: 'start',
  camera: { widthPx: 640, heightPx: 480 },
  sectionId: null,
  mode: 'device',
  atMs: 0,
});

let nats: Nats;
let database: MariaDb;
let one: TestGateway;
let other: TestGateway;

beforeAll(async () => {
  [nats, database] = await Promise.all([startNats(), startMariaDb()]);
  const env = { NATS_URL: nats.url, MYSQL_URL: await database.createDatabase('gateways') };
  [one, other] = await Promise.all([startTestGateway(env), startTestGateway(env)]);
});

afterAll(async () => {
  await Promise.all([one?.dispose(), other?.dispose()]);
  await nats?.stop();
  await database?.stop();
});

describe('H-3 several gateways behind a balancer without stickiness', () => {
  it('a POST that reaches another gateway than the last one is handed to the one that has the connection', async () => {
    const peer = new PostPeer(one.url, { origin: ORIGIN });
    const { sessionId } = await peer.hello(await one.ticket(7));
    const startedMs = performance.now();
    // From here on each POST takes turns, beginning with the gateway that has no students.
    const turn = () => {
      peer.url = peer.url === one.url ? other.url : one.url;
    };
    turn();
    expect((await peer.post(START)).controls).toMatchObject([{ type: 'started' }]);
    for (let seq = 0; seq < 6; seq++) {
      const captureMs = seq * 200;
      await waitFor('the moment of the observation', () => performance.now() - startedMs > captureMs);
      turn();
      const observation = faceAtScreen({ headYawDeg: seq / 10 });
      const { updates } = await peer.post(
        binaryPart({ kind: 'observation', seq, captureMs, late: false, observation }),
      );
      expect(updates).toMatchObject([{ seq, outcome: 'processed' }]);
    }
    const { controls } = await peer.post(textPart({ type: 'stop', atMs: 1200 }));
    expect(controls).toMatchObject([{ type: 'stopped', sessionId, saved: true }]);
  });

  it('the page may read the answer of the other gateway, and its refusal', async () => {
    const peer = new PostPeer(one.url, { origin: ORIGIN });
    await peer.hello(await one.ticket(8));
    const answer = await postBody(other.url, peer.body([]), { origin: ORIGIN });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, ORIGIN]);
    const refused = await postBody(other.url, peer.body([], 77), { origin: ORIGIN });
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(await refusalOf(refused)).toEqual({ status: 409, code: 'post_out_of_order' });
  });

  it('a token of a gateway that is not there names no connection', async () => {
    const peer = new PostPeer(one.url);
    peer.token = new Uint8Array(32).fill(9);
    expect(await refusalOf(await postBody(one.url, peer.body([])))).toEqual({
      status: 404,
      code: 'connection_unknown',
    });
  });
});
