import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../gateway/lib/logger.ts';
import { Saver } from '../../../gateway/session/saver.ts';
import { RelayError } from '../../../shared/errors.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';

const FULL = new RelayError('spool_failed', 'no space left on the disk');

function window(sessionId: string, seq: number): MetricsWindow {
  return { sessionId, epoch: 0, seq, startedAtMs: seq * 1000, endedAtMs: seq * 1000 + 1000 } as MetricsWindow;
}

/** A saver on a disk that a test makes full; `log` holds the codes of error lines. */
function saverOn(disk: { isFull: boolean }) {
  const written: string[] = [];
  const log: { readonly code: string; readonly count?: number; readonly windows?: unknown }[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: unknown) => void log.push(fields as (typeof log)[number]),
  };
  const append = async ({ sessionId, seq }: MetricsWindow) => {
    if (disk.isFull) throw FULL;
    written.push(`${sessionId}${seq}`);
  };
  return { saver: new Saver({ append, logger, retryMs: 1 }), written, log };
}

describe('windows on their way to the disk', () => {
  it('wait while the disk is full and are written in order once it is not, with one line in the log', async () => {
    const disk = { isFull: true };
    const { saver, written, log } = saverOn(disk);
    const saving = [saver.save(window('a', 0)), saver.save(window('a', 1)), saver.save(window('a', 2))];
    await expect.poll(() => log.length).toBe(1);
    disk.isFull = false;
    await Promise.all(saving);
    expect([written, log.map(({ code }) => code), saver.isIdle]).toEqual([['a0', 'a1', 'a2'], ['spool_failed'], true]);
  });

  it('of one session are not waited for by another', async () => {
    const { saver, written } = saverOn({ isFull: false });
    const disk = { isFull: true };
    const stuck = saverOn(disk);
    const saving = stuck.saver.save(window('a', 0));
    await stuck.saver.whenSaved('b');
    expect(stuck.saver.isIdle).toBe(false);
    disk.isFull = false;
    await saving;
    await saver.save(window('b', 0));
    expect(written).toEqual(['b0']);
  });

  it('are given up by a closing gateway on a full disk, which names each of them', async () => {
    const { saver, log } = saverOn({ isFull: true });
    const saving = Promise.allSettled([0, 1, 2].map((seq) => saver.save(window('a', seq))));
    await saver.close();
    expect((await saving).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(log.at(-1)).toMatchObject({ code: 'windows_not_saved', count: 3 });
    expect(log.at(-1)?.windows).toMatchObject([{ seq: 0 }, { seq: 1 }, { seq: 2 }]);
  });
});
