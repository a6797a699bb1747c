import type { GazeCorrection } from '../vision/gaze.ts';
import type { ScreenRegion } from '../vision/screen.ts';

/** Version of the stored form; a calibration of another version is not used. */
export const CALIBRATION_VERSION = 1;

/** What a student's short calibration on one device yielded. Plain data, kept with the student and device. */
export interface Calibration {
  readonly version: typeof CALIBRATION_VERSION;
  readonly correction: GazeCorrection;
  readonly screen: ScreenRegion;
  /** Mean error left over, degrees, each point predicted from the others; null when there were too few. */
  readonly validationYawDeg: number | null;
  readonly validationPitchDeg: number | null;
}
