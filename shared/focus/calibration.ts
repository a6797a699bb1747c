import * as z from 'zod';
import { RelayError } from '../errors.ts';
import { median } from '../median.ts';
import type { FaceMeasurement } from '../observation.ts';
import { type EyeCorrection, eyeWeightOf, type GazeCorrection, gazeOf, NO_CORRECTION } from '../vision/gaze.ts';
import type { ScreenSetup } from '../vision/screen.ts';

/** Version of the stored form and of how the eyes are read; a calibration of another version is not used. */
export const CALIBRATION_VERSION = 3;

const angle = z.number().min(-90).max(90);
const gain = z.number().min(0.25).max(4);
const lengthCm = z.number().positive().max(1000);
const eyeSchema = z.strictObject({
  yawGain: gain,
  pitchGain: gain,
  yawOffsetDeg: angle,
  pitchOffsetDeg: angle,
  weight: z.number().min(0).max(1),
});
const calibrationSchema = z.strictObject({
  version: z.literal(CALIBRATION_VERSION),
  correction: z.strictObject({
    imageLeftEye: eyeSchema,
    imageRightEye: eyeSchema,
    placeYawDeg: angle,
    placePitchDeg: angle,
  }),
  setup: z.strictObject({ widthCm: lengthCm, heightCm: lengthCm, belowCameraCm: lengthCm, distanceCm: lengthCm }),
  validationYawDeg: z.number().nonnegative().nullable(),
  validationPitchDeg: z.number().nonnegative().nullable(),
});

/**
 * What a student's short calibration on one device yielded. Plain data, kept with the student and the
 * device. The validation errors are mean absolute errors in degrees of each point predicted from the
 * others, null when there were too few points for that.
 */
export interface Calibration {
  readonly version: typeof CALIBRATION_VERSION;
  readonly correction: GazeCorrection;
  /** The screen, and how far from it the student sat. */
  readonly setup: ScreenSetup;
  readonly validationYawDeg: number | null;
  readonly validationPitchDeg: number | null;
}

/** A calibration read back from a store or a client; null for another version or anything else. */
export function calibrationOf(value: unknown): Calibration | null {
  const read = calibrationSchema.safeParse(value);
  return read.success ? read.data : null;
}

/** One point of a calibration: where the student was asked to look, and the faces measured meanwhile. */
export interface CalibrationPoint {
  readonly targetYawDeg: number;
  readonly targetPitchDeg: number;
  readonly faces: readonly FaceMeasurement[];
}

/** Fewer points or readings than this say too little. */
export const MIN_POINTS = 3;
export const MIN_READINGS = 3;

type Axis = 'yaw' | 'pitch';

/**
 * What is expected before a point is seen: how far gains differ between people, how far a point's reading lies off, and
 * how far a student's zero lies from everybody's, degrees. They set how hard the fit is held at a gain of 1 and an offset of 0.
 */
const GAIN_SPREAD = 0.12;
const POINT_ERROR_DEG: Readonly<Record<Axis, number>> = { yaw: 4, pitch: 6 };
const ZERO_SPREAD_DEG = 3;
const MIN_GAIN = 0.6;
const MAX_GAIN = 1.6;
/**
 * Degrees of freedom of the errors' distribution (Student's t): a reading of a blink or of a mesh that slipped weighs less the
 * further it lies off, so that one of five points may be wrong. K. L. Lange, R. J. A. Little, J. M. G. Taylor, "Robust statistical
 * modeling using the t distribution", JASA 84 (1989).
 */
const ERROR_FREEDOM = 4;
const ROUNDS = 20;
/** An eye with less say than this next to the other one does not move with the points: a prosthesis, or a patch. */
const LEAST_WEIGHT = 0.15;

/** Readings of a point in which the head is turned alike count as one; a head that turns further meanwhile gives several. */
const HEAD_BIN_DEG = 6;

/** A point on one axis: the target, the gaze by the head alone, and what one eye adds to it; degrees. */
interface AxisPoint {
  readonly target: number;
  readonly head: number;
  readonly eye: number;
}

/** A zero that lies far off is no error of a reading, but a camera beside the screen, or eyes unlike most: it is let be. */
function zeroSpreadOf(zeroDeg: number): number {
  return Math.max(ZERO_SPREAD_DEG, Math.abs(zeroDeg));
}

interface AxisFit {
  readonly gain: number;
  readonly offset: number;
  /** Spread of the points about the fit, degrees. */
  readonly spreadDeg: number;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Gain and offset that are most likely for target = head + gain · eye + offset, with errors of Student's t distribution and the
 * expectations above: least squares with new weights each round.
 */
function fitAxis(points: readonly AxisPoint[], axis: Axis): AxisFit {
  const errorDeg = POINT_ERROR_DEG[axis];
  let gain = 1;
  let offset = median(points.map(({ target, head, eye }) => target - head - eye));
  const zeroSpreadDeg = zeroSpreadOf(offset);
  let squares = 0;
  let weights = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let eyeEye = 1 / GAIN_SPREAD ** 2;
    let eyeOne = 0;
    let oneOne = 1 / zeroSpreadDeg ** 2;
    let eyeRest = 1 / GAIN_SPREAD ** 2;
    let oneRest = 0;
    squares = 0;
    weights = 0;
    for (const { target, head, eye } of points) {
      const rest = target - head;
      const error = (rest - gain * eye - offset) / errorDeg;
      const weight = (ERROR_FREEDOM + 1) / (ERROR_FREEDOM + error ** 2) / errorDeg ** 2;
      eyeEye += weight * eye ** 2;
      eyeOne += weight * eye;
      oneOne += weight;
      eyeRest += weight * eye * rest;
      oneRest += weight * rest;
      squares += weight * (error * errorDeg) ** 2;
      weights += weight;
    }
    const free = (eyeRest * oneOne - eyeOne * oneRest) / (eyeEye * oneOne - eyeOne ** 2);
    gain = Math.min(MAX_GAIN, Math.max(MIN_GAIN, free));
    offset = (oneRest - gain * eyeOne) / oneOne;
  }
  return { gain, offset, spreadDeg: Math.sqrt(squares / weights) };
}

/** Readings of one point with the head turned alike. */
interface Sample {
  readonly targetDeg: Readonly<Record<Axis, number>>;
  readonly faces: readonly FaceMeasurement[];
}

function samplesOf(points: readonly CalibrationPoint[]): Sample[] {
  return points.flatMap(({ targetYawDeg, targetPitchDeg, faces }) => {
    const targetDeg = { yaw: targetYawDeg, pitch: targetPitchDeg };
    const middleDeg = median(faces.map((face) => face.headYawDeg));
    const bins = new Map<number, FaceMeasurement[]>();
    for (const face of faces) {
      const bin = Math.round((face.headYawDeg - middleDeg) / HEAD_BIN_DEG);
      bins.set(bin, [...(bins.get(bin) ?? []), face]);
    }
    const full = [...bins.values()].filter((bin) => bin.length >= MIN_READINGS);
    return (full.length === 0 ? [faces] : full).map((bin) => ({ targetDeg, faces: bin }));
  });
}

type EyeName = 'imageLeftEye' | 'imageRightEye';

const BLIND: EyeCorrection = { ...NO_CORRECTION.imageLeftEye, weight: 0 };

/** An eye that the camera sees less of says nothing of how it is turned. */
const SEEN_WEIGHT = 0.3;

function fitEye(samples: readonly Sample[], eye: EyeName): Readonly<Record<Axis, AxisFit>> | null {
  const alone: GazeCorrection = {
    ...NO_CORRECTION,
    imageLeftEye: BLIND,
    imageRightEye: BLIND,
    [eye]: NO_CORRECTION[eye],
  };
  const seen = samples.flatMap(({ targetDeg, faces }) => {
    const own = faces.filter((face) => eyeWeightOf(face[eye]) >= SEEN_WEIGHT);
    return own.length === 0 ? [] : [{ targetDeg, faces: own }];
  });
  if (seen.length < MIN_POINTS) return null;
  const pointsOf = (axis: Axis): AxisPoint[] =>
    seen.map(({ targetDeg, faces }) => {
      const head = median(faces.map((face) => (axis === 'yaw' ? face.headYawDeg : face.headPitchDeg)));
      return {
        target: targetDeg[axis],
        head,
        eye: median(faces.map((face) => gazeOf(face, alone)[`${axis}Deg`])) - head,
      };
    });
  return { yaw: fitAxis(pointsOf('yaw'), 'yaw'), pitch: fitAxis(pointsOf('pitch'), 'pitch') };
}

function correctionOf(samples: readonly Sample[]): GazeCorrection {
  const left = fitEye(samples, 'imageLeftEye');
  const right = fitEye(samples, 'imageRightEye');
  // An eye says as much as its readings agree with the points, one more reading of the expected error included.
  const sureness = (fit: typeof left): number =>
    fit === null ? 0 : 1 / (fit.yaw.spreadDeg ** 2 + fit.pitch.spreadDeg ** 2 + POINT_ERROR_DEG.yaw ** 2);
  const most = Math.max(sureness(left), sureness(right));
  const weightOf = (fit: typeof left): number => {
    const weight = most === 0 ? 0 : sureness(fit) / most;
    return weight < LEAST_WEIGHT ? 0 : weight;
  };
  const [leftWeight, rightWeight] = [weightOf(left), weightOf(right)];
  const offset = (axis: Axis): number => {
    const sum = (left?.[axis].offset ?? 0) * leftWeight + (right?.[axis].offset ?? 0) * rightWeight;
    return sum / Math.max(leftWeight + rightWeight, Number.MIN_VALUE);
  };
  const place = { yaw: offset('yaw'), pitch: offset('pitch') };
  const eyeOf = (fit: typeof left, weight: number): EyeCorrection =>
    fit === null || weight === 0
      ? BLIND
      : {
          yawGain: fit.yaw.gain,
          pitchGain: fit.pitch.gain,
          yawOffsetDeg: fit.yaw.offset - place.yaw,
          pitchOffsetDeg: fit.pitch.offset - place.pitch,
          weight,
        };
  return {
    imageLeftEye: eyeOf(left, leftWeight),
    imageRightEye: eyeOf(right, rightWeight),
    placeYawDeg: place.yaw,
    placePitchDeg: place.pitch,
  };
}

/** Mean absolute error of each point's gaze, predicted from the other points and `turning`; null for too few points. */
function validate(
  points: readonly CalibrationPoint[],
  turning: readonly CalibrationPoint[],
): Readonly<Record<Axis, number>> | null {
  if (points.length <= MIN_POINTS) return null;
  const errors = points.map((point) => {
    const correction = correctionOf(samplesOf([...points.filter((other) => other !== point), ...turning]));
    const gazes = point.faces.map((face) => gazeOf(face, correction));
    return {
      yaw: Math.abs(median(gazes.map((gaze) => gaze.yawDeg)) - point.targetYawDeg),
      pitch: Math.abs(median(gazes.map((gaze) => gaze.pitchDeg)) - point.targetPitchDeg),
    };
  });
  return { yaw: mean(errors.map(({ yaw }) => yaw)), pitch: mean(errors.map(({ pitch }) => pitch)) };
}

/** How far a student's zero moves from one sitting to the next, degrees: the place is never quite the same. */
const SITTING_SPREAD_DEG: Readonly<Record<Axis, number>> = { yaw: 3, pitch: 5 };

/**
 * A calibration of an earlier sitting, for a new one: what belongs to the eyes stays, what belongs to the place is believed as
 * far as it is likely to hold (the best linear estimate from one sitting, by the spread of zeros between people and between sittings).
 */
export function carriedOver(calibration: Calibration): Calibration {
  const { correction } = calibration;
  const likely = (zeroDeg: number, axis: Axis): number => {
    const spread = zeroSpreadOf(zeroDeg) ** 2;
    return (zeroDeg * spread) / (spread + SITTING_SPREAD_DEG[axis] ** 2);
  };
  const placeYawDeg = likely(correction.placeYawDeg, 'yaw');
  const placePitchDeg = likely(correction.placePitchDeg, 'pitch');
  return { ...calibration, correction: { ...correction, placeYawDeg, placePitchDeg } };
}

/**
 * A calibration from what was measured while a student looked at known points. Each eye has its own gains, offset and weight;
 * what both have in common is the place's. `turning` is a point that the student kept looking at while they turned the head: it
 * tells how the eyes are read against the head, but no error of the calibration is taken from it. Throws RelayError
 * `calibration_too_few` when fewer than MIN_POINTS points have MIN_READINGS readings.
 */
export function fitCalibration(
  points: readonly CalibrationPoint[],
  setup: ScreenSetup,
  turning: CalibrationPoint | null = null,
): Calibration {
  const isUsable = (point: CalibrationPoint): boolean => point.faces.length >= MIN_READINGS;
  const usable = points.filter(isUsable);
  const turned = turning !== null && isUsable(turning) ? [turning] : [];
  if (usable.length < MIN_POINTS) {
    throw new RelayError('calibration_too_few', `${usable.length} of ${points.length} points have enough readings`, {
      hint: `look at each point until it is done; at least ${MIN_POINTS} are needed`,
    });
  }
  const validation = validate(usable, turned);
  return {
    version: CALIBRATION_VERSION,
    correction: correctionOf(samplesOf([...usable, ...turned])),
    setup,
    validationYawDeg: validation?.yaw ?? null,
    validationPitchDeg: validation?.pitch ?? null,
  };
}
