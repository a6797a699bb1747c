import { expect, it } from 'vitest';
import { countSample, type SessionAccount, startCapture } from '../../../gateway/session/account.ts';
import { openWindow } from '../../../gateway/session/account-windows.ts';
import { Checkpointer } from '../../../gateway/session/checkpointer.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { captureLog } from '../../support/log-capture.ts';
import { newAccount, T0 } from './connection/driver.ts';

/** Stops this thread as a signal, or a machine put to sleep, stops the process: time goes by and no work is done. */
function freeze(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

it('continues writing open windows after the process was stopped in the middle of it', async () => {
  let account: SessionAccount = startCapture(newAccount(), { atMs: 0, sectionId: null, mode: 'server' }, T0);
  let captureMs = 0;
  let frozen = false;
  const written: (readonly MetricsWindow[])[] = [];
  await new Promise<void>((resolve) => {
    const checkpointer = new Checkpointer({
      async checkpoint(open) {
        written.push(open);
        checkpointer.changed(true);
        if (written.length === 3) resolve(checkpointer.stop());
      },
      *sessions() {
        captureMs += 100;
        account = countSample(account, captureMs, faceAtScreen());
        // At a fortieth of the time, half a second of work would mean twenty seconds of rest.
        if (!frozen) freeze(500);
        frozen = true;
        yield { account, isSaved: true };
      },
      saved: async () => undefined,
      isAllSaved: () => true,
      everyMs: 1,
      logger: captureLog().logger,
    });
    checkpointer.start();
  });
  expect(written.slice(0, 3).map(([window]) => window?.focusedMs)).toEqual([0, 200, 300]);
});

it('writes an account that awaits an answer together with it', async () => {
  let account: SessionAccount = startCapture(newAccount(), { atMs: 0, sectionId: null, mode: 'server' }, T0);
  const written: (readonly MetricsWindow[])[] = [];
  const checkpointer = new Checkpointer({
    checkpoint: async (open) => void written.push(open),
    *sessions() {
      yield { account, isSaved: true };
    },
    saved: async () => undefined,
    isAllSaved: () => true,
    everyMs: 60_000,
    logger: captureLog().logger,
  });
  checkpointer.start();
  checkpointer.changed(false);
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(written).toHaveLength(0);

  account = countSample(account, 100, faceAtScreen());
  account = countSample(account, 200, faceAtScreen());
  checkpointer.changed(true);
  await expect.poll(() => written.length, { timeout: 30_000 }).toBe(1);
  await checkpointer.stop();
  expect(written).toEqual([[openWindow(account)]]);
});
