import { faceAtScreen } from '../../harness/observations.ts';
import { screenSetupOf } from '../../shared/focus/screen-setup.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import type { ShownPoint } from '../../shared/protocol/calibration.ts';
import { targetAnglesOf } from '../../shared/vision/screen.ts';

/** Centre and corners, as shares of the screen. */
export const FIVE_PLACES = [
  [0.5, 0.5],
  [0.1, 0.1],
  [0.9, 0.1],
  [0.1, 0.9],
  [0.9, 0.9],
] as const;

/** How a student's gaze is read: times `gain`, plus a zero of their own, degrees. */
export interface ReadAs {
  readonly gain: number;
  readonly yawOffsetDeg: number;
  readonly pitchOffsetDeg: number;
}

export const READ_TRUE: ReadAs = { gain: 1, yawOffsetDeg: 0, pitchOffsetDeg: 0 };

/** What the camera gives of a student with a level head who looks at a place of a laptop's screen. */
export function lookingAt(across: number, down: number, camera: FrameSize, as: ReadAs = READ_TRUE): FaceObservation {
  const base = faceAtScreen();
  if (base.face === null) throw new Error('a face is expected');
  const target = targetAnglesOf(across, down, screenSetupOf(null, [base.face], camera));
  const eye = {
    yawDeg: target.yawDeg * as.gain + as.yawOffsetDeg,
    pitchDeg: target.pitchDeg * as.gain + as.pitchOffsetDeg,
    openness: 0.3,
    visibility: 1,
  };
  return { ...base, face: { ...base.face, headPitchDeg: 0, imageLeftEye: eye, imageRightEye: eye } };
}

/** The shown points of a calibration that begins at `fromMs`, each for `eachMs`. */
export function shownPoints(fromMs: number, eachMs: number): ShownPoint[] {
  return FIVE_PLACES.map(([across, down], i) => ({
    across,
    down,
    fromMs: fromMs + i * eachMs,
    untilMs: fromMs + (i + 1) * eachMs - 1,
  }));
}
