import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { startTestGateway } from '../../harness/gateway.ts';
import { Peer } from '../../harness/peer.ts';

const run = promisify(execFile);
const WAIT = { timeout: 20_000, interval: 50 };

/** Fills the disk of a folder with one file, and resolves with the file's path. */
async function fill(folder: string): Promise<string> {
  const path = join(folder, 'filler');
  // Smaller and smaller pieces: the last free block counts.
  for (const bytes of [1 << 20, 1 << 16, 1 << 12, 1]) {
    for (;;) {
      try {
        await appendFile(path, Buffer.alloc(bytes));
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
        break;
      }
    }
  }
  return path;
}

async function study(url: string, ticket: string): Promise<{ sessionId: string; saved: boolean }> {
  const peer = await Peer.open(url);
  const { sessionId } = await peer.hello(ticket);
  await peer.start();
  peer.send({ kind: 'same', seq: 0, captureMs: 500, late: false });
  await peer.update(0);
  const { saved } = await peer.stop(600);
  await peer.close();
  return { sessionId, saved };
}

it('on a disk that is full, stop is answered and readiness says why; with room again the time is stored, once', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'relay-full-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder]);
  } catch {
    await rm(folder, { recursive: true });
    context.skip('a small disk cannot be mounted here: that takes root on Linux');
  }
  try {
    // The database is away, so that every window waits on the disk.
    const gateway = await startTestGateway(
      { MYSQL_URL: 'mysql://nobody:nothing@127.0.0.1:1/none' },
      { dataDir: join(folder, 'data') },
    );
    const reasons = async () => {
      const response = await fetch(new URL('/readyz', gateway.url));
      return ((await response.json()) as { reasons: string[] }).reasons;
    };
    const before = await study(gateway.url, await gateway.ticket(1));
    expect(before.saved).toBe(true);
    const filler = await fill(folder);
    const during = await study(gateway.url, await gateway.ticket(2));
    expect(during.saved).toBe(false);
    await vi.waitFor(async () => expect(await reasons()).toContain('spool_failed'), WAIT);
    await rm(filler);
    await vi.waitFor(async () => expect(await reasons()).not.toContain('spool_failed'), WAIT);
    await gateway.close();

    const embedded = await startTestGateway({}, { dataDir: join(folder, 'data') });
    for (const [userId, { sessionId }] of [before, during].entries()) {
      await vi.waitFor(async () => {
        const report = await embedded.report(sessionId, userId + 1);
        // The camera's first picture came again: unknown, up to the last one.
        expect(report).toMatchObject({ focusedMs: 0, unfocusedMs: 0, unknownMs: 500, untrackedMs: 0 });
      }, WAIT);
    }
    await embedded.dispose();
  } finally {
    // Lazily: where the test has failed, its gateway still has files open.
    await run('umount', ['-l', folder]);
    await rm(folder, { recursive: true });
  }
});
