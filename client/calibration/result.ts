/** The result of a calibration. */
export interface CalibrationResult {
  /**
   * `calibrated`: in use from now on. `inexact`: its error is so large that nothing was changed. `refused`: too few readings, or
   * the gateway makes none. `skipped`: the student left before the end. `interrupted`: connection, camera or window changed.
   * `unavailable`: nothing is being captured, or another one runs.
   */
  readonly outcome: 'calibrated' | 'inexact' | 'refused' | 'skipped' | 'interrupted' | 'unavailable';
  /** Mean error of each dot predicted from the others, degrees; null without a calibration. */
  readonly yawErrorDeg: number | null;
  readonly pitchErrorDeg: number | null;
  /** For the student's next session in this browser too. */
  readonly kept: boolean;
}

export const UNAVAILABLE: CalibrationResult = {
  outcome: 'unavailable',
  yawErrorDeg: null,
  pitchErrorDeg: null,
  kept: false,
};
