import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintTicket } from '../../../gateway/auth/ticket.ts';
import { CLIP_FRAMES } from '../../../harness/clip.ts';
import { SECRET } from '../../../harness/gateway.ts';
import { frameMessage, Peer } from '../../../harness/peer.ts';
import { type Service, startInference } from '../../../harness/services.ts';

const MAIN = fileURLToPath(new URL('../../../dist/gateway/main.mjs', import.meta.url));
const USER_ID = 7001;

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly sessionId?: string;
  readonly code?: string;
}

let dataDir: string;
let inference: Service;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-log-'));
  inference = await startInference({ env: { PATH: process.env.PATH, LOG_LEVEL: 'error' }, log: 'ignore' });
});

afterAll(async () => {
  await inference?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** The built gateway, everything that it says at its most talkative, and where it listens. */
async function startTalking() {
  const child: ChildProcess = fork(MAIN, {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      LOG_LEVEL: 'trace',
      RELAY_JWT_SECRET: SECRET,
      ALLOWED_ORIGINS: 'https://school.example',
      INFERENCE_URL: `http://127.0.0.1:${inference.port}`,
      RESUME_GRACE_MS: '0',
    },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (log += chunk));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const logged = async (message: string) => {
    while (!log.includes(`"msg":"${message}"`)) await once(child.stdout as NodeJS.ReadableStream, 'data');
  };
  const end = async (): Promise<string> => {
    child.kill('SIGTERM');
    await once(child, 'close');
    return log;
  };
  return { url: `http://127.0.0.1:${port}/`, logged, end };
}

/** A whole session: admitted, tracked, a picture that is none, a section, an end, and back again. */
async function study(
  url: string,
  ticket: string,
): Promise<{ sessionId: string; secrets: string[]; pictures: Uint8Array[] }> {
  const peer = await Peer.open(url);
  const { sessionId, resume } = await peer.hello(ticket);
  await peer.start();
  const pictures = [...CLIP_FRAMES.slice(0, 20), Uint8Array.of(1, 2, 3, 4)];
  const startedMs = performance.now();
  for (const [seq, picture] of pictures.entries()) {
    // A capture clock that runs ahead of the gateway's is refused.
    const captureMs = Math.floor(performance.now() - startedMs) + seq;
    peer.send(frameMessage(seq, captureMs, picture));
    await peer.update(seq);
  }
  peer.sendControl({ type: 'section', sectionId: 12, atMs: 500 });
  await peer.stop(600);
  await peer.close();
  return { sessionId, secrets: [ticket, resume], pictures };
}

describe('the log of a whole session', () => {
  it('has a line for each transition, with the session, and none for a frame; no picture, number of a face, token or secret', async () => {
    const gateway = await startTalking();
    const ticket = mintTicket({ userId: USER_ID, moduleId: 22, role: 'student' }, SECRET, new Date(), 'an id');
    const { sessionId, secrets, pictures } = await study(gateway.url, ticket);
    await gateway.logged('session ended');
    const stranger = await Peer.open(gateway.url);
    stranger.sendControl({
      type: 'hello',
      protocol: 'gaze-relay.v1',
      ticket: 'nobody.signed.this',
      resume: null,
      client: 'x',
    });
    await stranger.closed;
    const log = await gateway.end();
    const lines = log
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Line);

    expect(lines.filter((line) => line.sessionId === sessionId).map(({ msg }) => msg)).toEqual([
      'session opened',
      'tracking began',
      'tracking stopped',
      'session detached',
      'session ended',
    ]);
    const others = lines.filter((line) => line.sessionId === undefined);
    expect(others.map(({ msg }) => msg).filter((msg) => msg !== 'inference link open')).toEqual([
      'gateway listening',
      'embedded store migrated',
      'gateway ready',
      'a connection was not admitted',
      'gateway draining',
      'gateway closed',
    ]);
    expect(others.filter(({ msg }) => msg === 'inference link open')).toHaveLength(1);
    expect(others.find(({ msg }) => msg === 'a connection was not admitted')?.code).toBe('ticket_invalid');
    expect(Math.max(...lines.map(({ level }) => level))).toBe(30);

    for (const secret of [...secrets, SECRET, 'nobody.signed.this']) {
      for (const part of secret.split('.')) expect(log).not.toContain(part);
    }
    for (const picture of pictures) {
      for (const encoding of ['base64', 'hex', 'latin1'] as const) {
        expect(log).not.toContain(Buffer.from(picture.subarray(0, 24)).toString(encoding));
      }
    }
    expect(log).not.toMatch(/[yY]aw|[pP]itch|openness|landmark|roi|captureMs|brightness/);
    expect(log).not.toContain(String(USER_ID));
  });
});
