import { expect, it } from 'vitest';
import { evaluate, noteReading, openCalibration } from '../../../gateway/session/calibration.ts';
import { faceAtScreen } from '../../../harness/observations.ts';

const READINGS = 600;
const VIEW = { camera: { widthPx: 640, heightPx: 480 }, screen: null };

it('K-2 a reading belongs to one point, so that a finish cannot have each of them fitted for every point', () => {
  let open = openCalibration(0);
  for (let index = 0; index < READINGS; index += 1) open = noteReading(open, index * 100, faceAtScreen());
  const shown = { across: 0.5, down: 0.5, fromMs: 0, untilMs: READINGS * 100 };
  const points = Array.from({ length: 16 }, () => shown);
  const outcome = evaluate(open, { type: 'calibrate_finish', points, screen: null, turning: shown }, VIEW);
  expect(outcome).toEqual({
    kind: 'too_few_readings',
    points: points.map((_, index) => (index === 0 ? { ok: true, readings: READINGS } : { ok: false, readings: 0 })),
  });
});
