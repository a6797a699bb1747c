import { describe, expect, it } from 'vitest';
import { faceAtScreen, NO_FACE } from '../../../../harness/observations.ts';
import { seededRandom } from '../../../../harness/random.ts';
import type { FaceObservation } from '../../../../shared/observation.ts';
import { Driver, sumOf } from './driver.ts';

describe('totals', () => {
  const away: FaceObservation = { ...faceAtScreen(), face: null };
  const scenes = [faceAtScreen(), NO_FACE, away];

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('U-6 never decrease, and trail the clock by a second at most (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const driver = Driver.tracking(3000);
    let atMs = 0;
    for (let step = 0; step < 400; step++) {
      atMs += Math.round(random() * (random() < 0.05 ? 5000 : 400));
      const scene = scenes[Math.floor(random() * scenes.length)] ?? NO_FACE;
      const choice = random();
      if (choice < 0.6) {
        driver.frame(atMs);
        driver.answer(scene);
      } else if (choice < 0.8) {
        driver.same(atMs);
      } else if (choice < 0.9) {
        driver.frame(atMs);
        driver.dispatch({ type: 'unserved', frame: driver.last('infer').frame, status: 'busy' });
      } else if (choice < 0.95) {
        driver.dispatch({ type: 'control', message: { type: 'section', sectionId: step + 1, atMs } });
      } else {
        driver.same(Math.max(0, atMs - 700));
      }
      driver.dispatch({ type: 'tick' });
    }
    const updates = driver.all('update').map(({ update }) => update);
    expect(new Set(updates.map(({ outcome }) => outcome))).toEqual(new Set(['processed', 'unserved', 'out_of_order']));
    for (const [index, update] of updates.entries()) {
      const before = updates[index - 1] ?? { focusedMs: 0, unfocusedMs: 0, unknownMs: 0, untrackedMs: 0 };
      for (const key of ['focusedMs', 'unfocusedMs', 'unknownMs', 'untrackedMs'] as const) {
        expect(update[key]).toBeGreaterThanOrEqual(before[key]);
      }
      if (update.outcome !== 'processed') continue;
      expect(sumOf(update)).toBeLessThanOrEqual(update.captureMs);
      expect(update.captureMs - sumOf(update)).toBeLessThanOrEqual(1000);
    }
  });
});
