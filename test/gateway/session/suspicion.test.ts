import { describe, expect, it } from 'vitest';
import { NO_SUSPICION, noteObservation, type Suspicion } from '../../../gateway/session/suspicion.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { Driver } from './connection/driver.ts';

function reasonOf(digests: Iterable<number>) {
  let suspicion = NO_SUSPICION;
  for (const digest of digests) suspicion = noteObservation(suspicion, digest);
  return suspicion.reason;
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => 1 + from + index);

describe('observations of a device', () => {
  it('of a live camera, never the same twice, are not suspect in a lesson of an hour', () => {
    expect(reasonOf(numbers(9000))).toBeNull();
  });

  it('may come twice now and then', () => {
    expect(
      reasonOf(numbers(2000).flatMap((digest, index) => (index % 50 === 0 ? [digest, digest] : [digest]))),
    ).toBeNull();
  });

  it.each([
    ['constant', 'of one value', Array<number>(20).fill(7)],
    ['alternating', 'of two values in turn', Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 7 : 8))],
    ['repeating', 'of a minute, played again', [...numbers(150), ...numbers(150)]],
    ['repeating', 'of fifteen minutes, played again', [...numbers(2200), ...numbers(2200)]],
    [
      'repeating',
      'of a loop after an honest beginning',
      [...numbers(3000, 50_000), ...Array(40).fill(numbers(150)).flat()],
    ],
  ] as const)('are %s: %s', (reason, _what, digests) => {
    expect(reasonOf(digests)).toBe(reason);
  });

  it.each([
    ['from its beginning', 0],
    ['from somewhere in it', 4321],
  ])('are replayed: three minutes of an earlier session, %s', (_what, from) => {
    let before = NO_SUSPICION;
    for (const digest of numbers(9000)) before = noteObservation(before, digest);
    let after: Suspicion = { ...NO_SUSPICION, earlier: before.samples };
    for (const digest of [...numbers(500, 50_000), ...numbers(450, from + 2000)])
      after = noteObservation(after, digest);
    expect(after.reason).toBe('replayed');
  });

  it('of another hour are no replay', () => {
    let before = NO_SUSPICION;
    for (const digest of numbers(9000)) before = noteObservation(before, digest);
    let after: Suspicion = { ...NO_SUSPICION, earlier: before.samples };
    for (const digest of numbers(9000, 100_000)) after = noteObservation(after, digest);
    expect(after.reason).toBeNull();
  });

  it('S-10 mark the windows from then on', () => {
    const driver = Driver.tracking(1000, 'device');
    for (let captureMs = 0; captureMs <= 6000; captureMs += 200) {
      driver.observation(captureMs, faceAtScreen());
      driver.dispatch({ type: 'tick' });
    }
    const marks = driver.all('save').map(({ window }) => window.suspect);
    expect([marks[0], marks.at(-1)]).toEqual([null, 'constant']);
  });
});

describe('late time', () => {
  it('S-10 is stored of messages that say so, and of those that do not', () => {
    const driver = Driver.tracking(undefined, 'device');
    driver.observation(0, faceAtScreen());
    driver.nowMs += 60_000;
    driver.observation(1000, faceAtScreen(), true);
    driver.observation(2000, faceAtScreen(), true);
    for (let captureMs = 2400; captureMs <= 5000; captureMs += 200) {
      const message = { kind: 'observation', seq: 0, captureMs, late: false, observation: faceAtScreen() } as const;
      driver.dispatch({ type: 'message', message, bytes: 56, digest: captureMs });
    }
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 5000 } });
    expect(driver.all('save').reduce((sum, { window }) => sum + window.lateMs, 0)).toBe(5000);
  });

  it('is none of messages that come at once', () => {
    const driver = Driver.tracking(undefined, 'device');
    for (let captureMs = 0; captureMs <= 5000; captureMs += 200) driver.observation(captureMs, faceAtScreen());
    driver.dispatch({ type: 'control', message: { type: 'stop', atMs: 5000 } });
    expect(driver.all('save').map(({ window }) => window.lateMs)).toEqual([0]);
  });
});
