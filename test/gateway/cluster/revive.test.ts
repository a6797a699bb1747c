import { describe, expect, it } from 'vitest';
import { type ReviveDependencies, revive } from '../../../gateway/cluster/revive.ts';
import {
  accountTotals,
  countSample,
  openAccount,
  type SessionAccount,
  startCapture,
} from '../../../gateway/session/account.ts';
import { openWindow } from '../../../gateway/session/account-windows.ts';
import type { SessionReport } from '../../../gateway/store/port.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';

const T0 = Date.UTC(2026, 0, 12, 9);

/** The account of a session whose student looked at the screen until `untilMs` of the capture clock. */
function studied(untilMs: number): SessionAccount {
  const opened = openAccount({ sessionId: 's', rule: 'geometric', userId: 1, moduleId: 22 });
  let account = startCapture(opened, { atMs: 0, sectionId: null, mode: 'device' }, T0);
  for (let captureMs = 200; captureMs <= untilMs; captureMs += 200) {
    account = countSample(account, captureMs, faceAtScreen({ headYawDeg: 0.4 * ((captureMs / 200) % 5) }));
  }
  return account;
}

function windowOf(account: SessionAccount): MetricsWindow {
  const window = openWindow(account);
  if (window === null) throw new Error('there is no open window');
  return window;
}

async function revived(given: Partial<ReviveDependencies>) {
  const appended: MetricsWindow[] = [];
  const account = await revive(studied(1000), {
    append: async (window) => void appended.push(window),
    storedReport: async () => null,
    pendingFor: async () => [],
    ...given,
  });
  return { account, appended };
}

const later = windowOf(studied(1800));
const reportOf = (windows: readonly MetricsWindow[]) => ({ windows }) as unknown as SessionReport;

describe('a session of a gateway that is gone', () => {
  it('continues after its open window, which is booked', async () => {
    const { account, appended } = await revived({});
    expect(appended).toEqual([windowOf(studied(1000))]);
    expect([account.lastCaptureMs, account.seq]).toEqual([1000, 1]);
  });

  it.each<[string, Partial<ReviveDependencies>]>([
    ['in the store', { storedReport: async () => reportOf([later]) }],
    ['waiting', { pendingFor: async () => [later] }],
    ['both', { storedReport: async () => reportOf([later]), pendingFor: async () => [later] }],
    [
      'waiting, the store unavailable',
      { storedReport: () => Promise.reject(new Error('away')), pendingFor: async () => [later] },
    ],
  ])('continues after its open window as the gateway had saved it, which is booked once: %s', async (_, given) => {
    const { account, appended } = await revived(given);
    expect(appended).toEqual([]);
    expect(account.lastCaptureMs).toBe(1800);
    expect(accountTotals(account).focusedMs).toBe(later.focusedMs);
  });

  it('finds a window that is delivered while it asks', async () => {
    let isDelivered = false;
    const { account } = await revived({
      storedReport: async () => reportOf(isDelivered ? [later] : []),
      pendingFor: async () => {
        isDelivered = true;
        return [];
      },
    });
    expect(account.lastCaptureMs).toBe(1800);
  });
});
