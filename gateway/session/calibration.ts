import {
  type Calibration,
  type CalibrationPoint,
  fitCalibration,
  MIN_READINGS,
} from '../../shared/focus/calibration.ts';
import { type StudentView, screenSetupOf } from '../../shared/focus/screen-setup.ts';
import { median } from '../../shared/median.ts';
import type { FaceMeasurement, FaceObservation } from '../../shared/observation.ts';
import {
  type CalibrateFinish,
  type CalibrationRefused,
  NEEDED_POINTS,
  type PointResult,
  type ShownPoint,
} from '../../shared/protocol/calibration.ts';
import { gazeOf } from '../../shared/vision/gaze.ts';
import { targetAnglesOf } from '../../shared/vision/screen.ts';
import { isTurnedAway, verdictOf } from '../../shared/vision/verdict.ts';

/** A calibration that the client does not continue ends by itself (K-6). */
export const CALIBRATION_LIMIT_MS = 60_000;
/** How long a finish waits for frames that are still at inference (K-2). */
export const FINISH_DEADLINE_MS = 2000;
/** Readings kept at most: ten a second for as long as a calibration may last. */
const MAX_READINGS = 600;

/** Less of the eyes than this tells where the head points, not where the student looks. */
const MIN_EYE_WEIGHT = 0.5;
/** A reading further than this from the point's middle one is a glance elsewhere, degrees. */
const MAX_STRAY_DEG = 6;
/** While the head turns, the eyes are read less exactly, and how much so is what is to be learnt. */
const MAX_TURNING_STRAY_DEG = 15;
/** Of a student who keeps looking at a point this share of the readings agree. */
const STEADY_SHARE = 0.6;
/**
 * Largest mean error of a calibration that is used, degrees. A student who only looks at the middle of a laptop's screen is read
 * 13° and 7° beside the points.
 */
export const MAX_YAW_ERROR_DEG = 8;
export const MAX_PITCH_ERROR_DEG = 6;

interface Reading {
  readonly captureMs: number;
  readonly face: FaceMeasurement;
}

/** A calibration under way. Plain data; in memory alone. */
export interface OpenCalibration {
  /** UTC ms of the client's last message about it. */
  readonly heardAtMs: number;
  readonly readings: readonly Reading[];
  /** Set while the points are to be evaluated as soon as every frame of theirs is answered. */
  readonly finish: { readonly request: CalibrateFinish; readonly sinceMs: number } | null;
}

/** Begins at a moment, UTC ms. */
export function openCalibration(nowMs: number): OpenCalibration {
  return { heardAtMs: nowMs, readings: [], finish: null };
}

/** Stores what was measured of a face at a moment of the capture clock, if the eyes in it are seen, open and not turned away. */
export function noteReading(open: OpenCalibration, captureMs: number, observation: FaceObservation): OpenCalibration {
  const { face } = observation;
  const { gaze } = verdictOf(observation);
  if (face === null || gaze === null || gaze.eyeWeight < MIN_EYE_WEIGHT || isTurnedAway(face)) return open;
  return { ...open, readings: [...open.readings, { captureMs, face }].slice(-MAX_READINGS) };
}

/** True when the client has sent nothing about it for too long. */
export function isAbandoned(open: OpenCalibration, nowMs: number): boolean {
  return nowMs - open.heardAtMs >= CALIBRATION_LIMIT_MS;
}

/** The last moment of the capture clock that a finish asks for. */
export function lastMomentMs({ points, turning }: CalibrateFinish): number {
  return Math.max(...points.map(({ untilMs }) => untilMs), turning?.untilMs ?? 0);
}

/** Hands each reading to one point alone, the first that asks: what a finish costs is bounded by the readings that were sent. */
function readingsByPoint(readings: readonly Reading[]): (point: ShownPoint) => readonly Reading[] {
  const unused = new Set(readings);
  return ({ fromMs, untilMs }) => {
    const during = [...unused].filter(({ captureMs }) => captureMs >= fromMs && captureMs <= untilMs);
    for (const reading of during) unused.delete(reading);
    return during;
  };
}

/** The faces of a point's readings that agree within `strayDeg`, and whether that is enough. */
function facesOf(readings: readonly Reading[], strayDeg: number): { faces: FaceMeasurement[]; ok: boolean } {
  const during = readings.map(({ face }) => ({ face, gaze: gazeOf(face) }));
  const yawDeg = median(during.map(({ gaze }) => gaze.yawDeg));
  const pitchDeg = median(during.map(({ gaze }) => gaze.pitchDeg));
  const faces = during
    .filter(({ gaze }) => Math.hypot(gaze.yawDeg - yawDeg, gaze.pitchDeg - pitchDeg) <= strayDeg)
    .map(({ face }) => face);
  return { faces, ok: faces.length >= MIN_READINGS && faces.length >= STEADY_SHARE * during.length };
}

/** What came of a calibration; `pointCount` is the number of points that were good. */
export type CalibrationOutcome =
  | {
      readonly kind: 'fitted';
      readonly calibration: Calibration;
      readonly points: readonly PointResult[];
      readonly pointCount: number;
      /** False when its error is too large for it to be used. */
      readonly applied: boolean;
    }
  | { readonly kind: 'too_few_readings'; readonly points: readonly PointResult[] };

function isGood(errorDeg: number | null, limitDeg: number): boolean {
  return errorDeg !== null && errorDeg <= limitDeg;
}

/** Evaluates the readings of the shown points (K-4, K-5). `view`: the camera's full frame, and the screen as `start` told it. */
export function evaluate(open: OpenCalibration, request: CalibrateFinish, view: StudentView): CalibrationOutcome {
  const readingsOf = readingsByPoint(open.readings);
  const shown = request.points.map((point) => ({ point, ...facesOf(readingsOf(point), MAX_STRAY_DEG) }));
  const points = shown.map(({ ok, faces }) => ({ ok, readings: faces.length }));
  const good = shown.filter(({ ok }) => ok);
  if (good.length < NEEDED_POINTS) return { kind: 'too_few_readings', points };
  const allFaces = good.flatMap(({ faces }) => faces);
  const setup = screenSetupOf(request.screen ?? view.screen, allFaces, view.camera);
  const known = (point: ShownPoint, faces: readonly FaceMeasurement[]): CalibrationPoint => {
    const { yawDeg, pitchDeg } = targetAnglesOf(point.across, point.down, setup);
    return { targetYawDeg: yawDeg, targetPitchDeg: pitchDeg, faces };
  };
  const { turning } = request;
  const calibration = fitCalibration(
    good.map(({ point, faces }) => known(point, faces)),
    setup,
    turning === undefined ? null : known(turning, facesOf(readingsOf(turning), MAX_TURNING_STRAY_DEG).faces),
  );
  const applied =
    isGood(calibration.validationYawDeg, MAX_YAW_ERROR_DEG) &&
    isGood(calibration.validationPitchDeg, MAX_PITCH_ERROR_DEG);
  return { kind: 'fitted', calibration, points, pointCount: good.length, applied };
}

const REFUSAL_TEXT: Readonly<Record<CalibrationRefused['reason'], string>> = {
  too_few_readings: `at least ${NEEDED_POINTS} points need ${MIN_READINGS} readings of open eyes that agree; show those that are not ok once more`,
  not_open: 'no calibration is open: send calibrate first, and finish within a minute',
  interrupted: 'capture was stopped or started again before the calibration was done; begin again',
  rule: 'the gateway runs with FOCUS_RULE=seed, which knows no gaze',
};

/** The answer that says why there is no calibration. */
export function refusal(reason: CalibrationRefused['reason'], points: readonly PointResult[] = []): CalibrationRefused {
  return { type: 'calibration_refused', reason, points: [...points], message: REFUSAL_TEXT[reason] };
}
