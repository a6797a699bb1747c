import { describe, expect, it } from 'vitest';
import { Saver } from '../../../gateway/session/saver.ts';
import { StoredSessions } from '../../../gateway/session/stored-sessions.ts';
import { SILENT } from '../../../harness/gateway.ts';
import { RelayError } from '../../../shared/errors.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';

/** Stored sessions on a disk that takes no window of session `stuck`; `flushed` holds what was delivered, `left` what waits after it. */
function storedWith(left: number) {
  const flushed: string[] = [];
  const disk = { isFull: true };
  const saver = new Saver({
    append: async ({ sessionId }) => {
      if (disk.isFull && sessionId === 'stuck') throw new RelayError('spool_failed', 'no space left on the disk');
    },
    logger: SILENT,
    retryMs: 1,
  });
  const stored = new StoredSessions({
    saver,
    spool: async () => ({
      flushSession: async (sessionId) => {
        flushed.push(sessionId);
        return left;
      },
    }),
    sessionReport: async () => null,
    sessionTotals: async () => null,
    waitMs: 20,
  });
  return { saver, stored, flushed, disk };
}

describe('what is stored of a session', () => {
  it('is read after its own windows are delivered, whatever another session waits for', async () => {
    const { saver, stored, flushed, disk } = storedWith(0);
    const saving = saver.save({ sessionId: 'stuck' } as MetricsWindow);
    expect([await stored.find('a'), await stored.findWhole('b')]).toEqual([null, null]);
    expect([flushed, saver.isIdle]).toEqual([['a', 'b'], false]);
    disk.isFull = false;
    await saving;
  });

  it('is not used for a resumed session while a part of it is on its way', async () => {
    const { stored } = storedWith(1);
    expect(await stored.find('a')).toBeNull();
    await expect(stored.findWhole('a')).rejects.toMatchObject({ code: 'store_unreachable' });
  });

  it('is read after a bounded wait where its own windows cannot be saved', async () => {
    const { saver, stored, disk } = storedWith(0);
    const saving = saver.save({ sessionId: 'stuck' } as MetricsWindow);
    expect(await stored.find('stuck')).toBeNull();
    await expect(stored.findWhole('stuck')).rejects.toMatchObject({ code: 'store_unreachable' });
    disk.isFull = false;
    await saving;
  });
});
