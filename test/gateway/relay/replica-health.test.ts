import { describe, expect, it } from 'vitest';
import {
  EJECT_AFTER,
  HEALTHY,
  mayServe,
  noteFailure,
  noteSent,
  noteSuccess,
  type ReplicaHealth,
} from '../../../gateway/relay/replica-health.ts';

function failing(times: number, nowMs: number): ReplicaHealth {
  let health = HEALTHY;
  for (let index = 0; index < times; index += 1) health = noteFailure(noteSent(health), nowMs);
  return health;
}

describe('replica health', () => {
  it('single failures are forgiven', () => {
    const health = failing(EJECT_AFTER - 1, 0);
    expect(mayServe(health, 0)).toBe(true);
    expect(noteSuccess(health)).toEqual(HEALTHY);
  });

  it('failures in a row eject for a while', () => {
    const health = failing(EJECT_AFTER, 0);
    expect(mayServe(health, 999)).toBe(false);
    expect(mayServe(health, 1000)).toBe(true);
  });

  it('after that one request at a time finds out whether it is well', () => {
    const probing = noteSent(failing(EJECT_AFTER, 0));
    expect(mayServe(probing, 5000)).toBe(false);
    expect(noteSuccess(probing)).toEqual(HEALTHY);
  });

  it('each failed trial doubles the wait, up to 30 s', () => {
    let health = failing(EJECT_AFTER, 0);
    const waits: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const fromMs = health.ejectedUntilMs ?? 0;
      health = noteFailure(noteSent(health), fromMs);
      waits.push((health.ejectedUntilMs ?? 0) - fromMs);
    }
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });
});
