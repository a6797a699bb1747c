import { describe, expect, it } from 'vitest';
import { countSample, nextEpoch, rebuildAccount, startCapture } from '../../../gateway/session/account.ts';
import { cutWindow } from '../../../gateway/session/account-windows.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { SESSION_ID, T0 } from './connection/driver.ts';

const NOTHING = {
  focusedMs: 0,
  unfocusedMs: 0,
  unknownMs: 0,
  untrackedMs: 0,
  directionMs: {},
  focusBouts: 0,
  unfocusBouts: 0,
};

describe('a session that another gateway takes over from the store', () => {
  it('continues where the stored windows end, not where their time adds up to: a pause is not counted twice', () => {
    // 20 s are stored: ten, a pause of 50 s, ten more.
    const endedAtMs = T0 + 70_000;
    const rebuilt = rebuildAccount({
      sessionId: SESSION_ID,
      userId: 7,
      moduleId: 22,
      rule: 'geometric',
      startedAtMs: T0,
      endedAtMs,
      base: { ...NOTHING, focusedMs: 20_000 },
    });
    const nowMs = T0 + 75_000;
    let account = startCapture(nextEpoch(rebuilt, 0, nowMs), { atMs: 75_000, sectionId: null, mode: 'server' }, nowMs);
    account = countSample(account, 75_100, faceAtScreen());
    account = countSample(account, 76_100, faceAtScreen());
    const { window } = cutWindow(account, true);
    expect(window?.startedAtMs).toBe(endedAtMs);
    expect(window).toMatchObject({ untrackedMs: 5100, unfocusedMs: 0, unknownMs: 0 });
  });
});
