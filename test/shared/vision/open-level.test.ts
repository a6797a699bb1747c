import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../harness/observations.ts';
import { seededRandom } from '../../../harness/random.ts';
import type { FaceMeasurement } from '../../../shared/observation.ts';
import { learnOpenLevel, NO_OPEN_LEVEL, type OpenLevel, opennessShare } from '../../../shared/vision/open-level.ts';

function faceOf(openness: number, change: Partial<FaceMeasurement> = {}): FaceMeasurement {
  const { face } = faceAtScreen();
  if (face === null) throw new Error('a face is expected');
  const eye = { yawDeg: 0, pitchDeg: -4, openness, visibility: 1 };
  return { ...face, imageLeftEye: eye, imageRightEye: eye, ...change };
}

/** The level after so long of eyes open by `openness` ± 10 %, shut in one frame of ten, at that rate. */
function learnt(openness: number, seconds: number, fps: number): OpenLevel {
  const random = seededRandom(5);
  let level = NO_OPEN_LEVEL;
  for (let frame = 0; frame < seconds * fps; frame++) {
    const seen = random() < 0.1 ? 0.02 : openness * (0.9 + 0.2 * random());
    level = learnOpenLevel(level, faceOf(seen), 1000 / fps);
  }
  return level;
}

describe('the level of open eyes', () => {
  it('comes to what a student’s open eyes show within half a minute, whatever the frame rate, and blinks do not lower it', () => {
    for (const openness of [0.17, 0.28, 0.4]) {
      for (const fps of [2, 10, 30]) {
        expect(Math.abs(learnt(openness, 30, fps).level / openness - 1)).toBeLessThan(0.12);
      }
    }
  });

  it('stays where it is over minutes of looks down', () => {
    let level = learnt(0.3, 60, 10);
    const before = level.level;
    for (let frame = 0; frame < 200; frame++) level = learnOpenLevel(level, faceOf(0.14), 100);
    expect(before - level.level).toBeLessThan(0.03);
  });

  it('learns nothing of eyes that are hidden, turned aside or seen from above', () => {
    const eye = { yawDeg: 0, pitchDeg: 0, openness: 0.1, visibility: 0.2 };
    for (const change of [{ imageLeftEye: eye }, { headYawDeg: 30 }, { headPitchDeg: -30 }]) {
      expect(learnOpenLevel(NO_OPEN_LEVEL, faceOf(0.1, change), 1000)).toBe(NO_OPEN_LEVEL);
    }
  });

  it('moves limits by no more than people differ, and only once it is learnt', () => {
    expect(opennessShare({ level: 0.12, learntMs: 0 })).toBe(1);
    expect(opennessShare({ level: 0.12, learntMs: 1e9 })).toBeCloseTo(0.6, 3);
    expect(opennessShare({ level: 0.5, learntMs: 1e9 })).toBeCloseTo(1.15, 3);
    expect(opennessShare({ level: 0.21, learntMs: 1e9 })).toBeCloseTo(0.75, 3);
  });
});
