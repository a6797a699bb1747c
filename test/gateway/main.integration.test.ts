import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintTicket } from '../../gateway/auth/ticket.ts';
import { freePort } from '../../harness/free-port.ts';
import { SECRET } from '../../harness/gateway.ts';
import { Peer } from '../../harness/peer.ts';
import { startGateway } from '../../harness/services.ts';

const MAIN = fileURLToPath(new URL('../../dist/gateway/main.mjs', import.meta.url));

let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-main-'));
});

afterAll(() => rm(dataDir, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Runs the gateway until it ends by itself. */
async function runToEnd(env: Record<string, string>): Promise<Ended> {
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}

const ENV = { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'warn' };

describe('gateway process', () => {
  it('a wrong environment lists every fault at once and exits non-zero', async () => {
    const { code, stderr } = await runToEnd({ PORT: 'http', FOCUS_RULE: 'vibes', MAX_FRAME_KB: '-1' });
    expect(code).toBe(1);
    expect(stderr).toContain('config_invalid');
    for (const name of ['PORT', 'FOCUS_RULE', 'MAX_FRAME_KB']) expect(stderr).toContain(`- ${name}:`);
  });

  it('a busy port is reported plainly, with what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await runToEnd({ PORT: String(port), LOG_LEVEL: 'silent' });
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/port_in_use: .*set PORT/);
  });

  it('an unreachable MySQL is reported with its code; sessions continue and their time waits on disk', async () => {
    const gateway = await startGateway(
      { env: { ...ENV, DATA_DIR: dataDir, MYSQL_URL: 'mysql://u:p@127.0.0.1:1/none' }, log: 'ignore' },
      1,
    );
    try {
      const url = `http://127.0.0.1:${gateway.port}/`;
      const { ticket } = (await (await fetch(new URL('/dev/ticket?userId=5', url))).json()) as { ticket: string };
      const peer = await Peer.open(url);
      const { sessionId } = await peer.hello(ticket);
      await peer.start();
      peer.send({ kind: 'same', seq: 0, captureMs: 800, late: false });
      await peer.update(0);
      expect(await peer.stop(900)).toMatchObject({ saved: true });
      const report = await fetch(new URL(`/api/v1/sessions/${sessionId}`, url), {
        headers: { authorization: `Bearer ${ticket}` },
      });
      expect(report.status).toBe(503);
      expect(await report.json()).toMatchObject({ error: { code: 'store_unreachable' } });
      await peer.close();
    } finally {
      await gateway.stop();
    }
  });

  it('listens before its database answers: alive, not ready yet, and a student is welcome', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port: mutePort } = mute.address() as AddressInfo;
    const asked = once(mute, 'connection');
    const port = await freePort();
    const env = { ...ENV, RELAY_JWT_SECRET: SECRET, ALLOWED_ORIGINS: 'https://school.example', PORT: String(port) };
    const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-mute-'));
    const child = spawn(process.execPath, [MAIN], {
      env: { ...env, DATA_DIR: folder, MYSQL_URL: `mysql://u:p@127.0.0.1:${mutePort}/none` },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exited = once(child, 'exit');
    await asked;
    const url = `http://127.0.0.1:${port}/`;
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    const ready = await fetch(new URL('/readyz', url));
    expect([ready.status, await ready.json()]).toMatchObject([503, { ready: false, reasons: ['starting'] }]);
    const peer = await Peer.open(url);
    await peer.hello(mintTicket({ userId: 7, moduleId: 3, role: 'student' }, SECRET, new Date(), 'id'));
    child.kill('SIGKILL');
    await exited;
    mute.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('SIGTERM tells clients to come back, saves what was counted and exits 0; the next start has it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-term-'));
    const gateway = await startGateway({ env: { ...ENV, DATA_DIR: folder }, log: 'ignore' }, 1);
    const url = `http://127.0.0.1:${gateway.port}/`;
    const { ticket } = (await (await fetch(new URL('/dev/ticket?userId=6', url))).json()) as { ticket: string };
    const peer = await Peer.open(url);
    const { sessionId } = await peer.hello(ticket);
    await peer.start();
    peer.send({ kind: 'same', seq: 0, captureMs: 900, late: false });
    await peer.update(0);
    gateway.process.kill('SIGTERM');
    expect(await peer.closed).toBe(1001);
    expect(await gateway.exited).toBe(0);
    const again = await startGateway({ env: { ...ENV, DATA_DIR: folder }, log: 'ignore' }, 1);
    try {
      const next = `http://127.0.0.1:${again.port}/`;
      const fresh = (await (await fetch(new URL('/dev/ticket?userId=6', next))).json()) as { ticket: string };
      const report = await fetch(new URL(`/api/v1/sessions/${sessionId}`, next), {
        headers: { authorization: `Bearer ${fresh.ticket}` },
      });
      expect(await report.json()).toMatchObject({ report: { unknownMs: 900 } });
    } finally {
      await again.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
