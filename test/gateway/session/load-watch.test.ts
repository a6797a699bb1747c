import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { LoadWatch } from '../../../gateway/session/load-watch.ts';
import { SILENT } from '../../../harness/gateway.ts';
import { LIMITS } from './connection/driver.ts';

const watch = new LoadWatch(LIMITS, SILENT);

afterEach(() => watch.stop());

/** Keeps this thread from its work several times. */
async function blockEventLoop(): Promise<void> {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let round = 0; round < 4; round++) {
    Atomics.wait(cell, 0, 0, 250);
    await setImmediate();
  }
}

describe('load watch', () => {
  it('lowers the limits of both modes while the event loop lags', async () => {
    watch.start();
    await blockEventLoop();
    watch.tick(0);
    for (const mode of ['server', 'device'] as const) {
      expect(watch.limitsOf(mode).maxFps).toBeLessThan(LIMITS.maxFps);
    }
  });

  it('a busy inference lowers those of server mode alone; without a stream all is as the operator has it', () => {
    watch.start();
    for (const status of ['ok', 'busy', 'expired', 'unavailable'] as const) watch.note(status);
    watch.tick(0);
    expect(watch.limitsOf('server').maxFps).toBeLessThan(LIMITS.maxFps);
    expect(watch.limitsOf('device')).toBe(LIMITS);
    watch.stop();
    expect(watch.limitsOf('server')).toBe(LIMITS);
  });

  it('a replica that cannot be reached is no load: fewer pictures would not help', () => {
    watch.start();
    for (let count = 0; count < 20; count++) watch.note('unavailable');
    watch.tick(0);
    expect(watch.limitsOf('server')).toBe(LIMITS);
  });
});
