import { type CalibrationPoint, fitCalibration } from '../../../shared/focus/calibration.ts';
import type { FaceMeasurement, FaceObservation } from '../../../shared/observation.ts';
import { type GazeCorrection, gazeOf, NO_CORRECTION } from '../../../shared/vision/gaze.ts';
import { anglesOfDirection, apply, directionOfAngles, rotationOfHead } from '../../../shared/vision/linear.ts';
import { DEFAULT_SETUP } from '../../../shared/vision/screen.ts';
import { verdictOf } from '../../../shared/vision/verdict.ts';
import { strangerContext } from '../context.ts';
import { type Fit, fitOf, mean } from '../fit.ts';
import { confusionOf, type Judged, type Score, scoreOf } from '../score.ts';
import type { GridFrame, SetName } from './grid.ts';
import { FRAME, LIGHTS, type Light, type Scene } from './scene.ts';

/** One rendered frame and what was seen of it. */
export interface SeenFrame extends GridFrame {
  readonly observation: FaceObservation;
}

export interface GazeError {
  readonly n: number;
  readonly yawMaeDeg: number;
  readonly pitchMaeDeg: number;
}

export interface GazeResult extends GazeError {
  readonly yaw: Fit;
  readonly pitch: Fit;
  /** With the zero taken from one point, where the set has calibrations. */
  readonly after1: GazeError | null;
  readonly after5: GazeError | null;
  readonly byLight: Readonly<Record<Light, GazeError>>;
}

export interface SyntheticResult {
  readonly n: number;
  readonly facesFound: number;
  readonly frontal: GazeResult;
  readonly moving: GazeResult;
  readonly headPose: {
    readonly n: number;
    readonly yawMaeDeg: number;
    readonly pitchMaeDeg: number;
    readonly rollMaeDeg: number;
    readonly yaw: Fit;
    readonly pitch: Fit;
    readonly roll: Fit;
  };
  /** Mean of the calibrations' own validation errors, degrees. */
  readonly calibrationValidation: { readonly yawDeg: number; readonly pitchDeg: number };
  readonly eyes25: { readonly n: number; readonly offScreen: RuleShare };
  readonly head15: { readonly n: number; readonly onScreen: RuleShare };
  readonly conditions: Readonly<Record<string, ConditionResult>>;
}

export interface RuleShare {
  readonly ours: number;
  readonly seed: number;
}

export interface ConditionResult {
  readonly ours: Score;
  readonly seed: Score;
  readonly confusion: ReturnType<typeof confusionOf>;
}

type Found = SeenFrame & { readonly face: FaceMeasurement };

/** Gaze of a scene against the line from face to camera. */
export function trueGazeOf(scene: Scene): { readonly yawDeg: number; readonly pitchDeg: number } {
  const head = rotationOfHead(scene.headYawDeg, scene.headPitchDeg, scene.headRollDeg);
  return anglesOfDirection(apply(head, directionOfAngles(scene.eyeYawDeg, scene.eyePitchDeg)));
}

function gazeErrorOf(frames: readonly Found[], correctionOf: (frame: Found) => GazeCorrection): GazeError {
  const errors = frames.map((frame) => {
    const truth = trueGazeOf(frame.scene);
    const gaze = gazeOf(frame.face, correctionOf(frame));
    return [Math.abs(gaze.yawDeg - truth.yawDeg), Math.abs(gaze.pitchDeg - truth.pitchDeg)] as const;
  });
  return {
    n: frames.length,
    yawMaeDeg: mean(errors.map(([yaw]) => yaw)),
    pitchMaeDeg: mean(errors.map(([, pitch]) => pitch)),
  };
}

/** Corrections of one session: the zero from its first point, and everything from all of them. */
interface SessionCorrections {
  readonly one: GazeCorrection;
  readonly five: GazeCorrection;
  readonly validationYawDeg: number | null;
  readonly validationPitchDeg: number | null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function calibrate(frames: readonly Found[]): SessionCorrections | null {
  const points = new Map<string, { target: NonNullable<GridFrame['target']>; faces: FaceMeasurement[] }>();
  for (const { target, face } of frames) {
    if (target === null) continue;
    const name = JSON.stringify(target);
    const point = points.get(name) ?? { target, faces: [] };
    point.faces.push(face);
    points.set(name, point);
  }
  const list = [...points.values()].map(
    ({ target, faces }): CalibrationPoint => ({
      targetYawDeg: target.yawDeg,
      targetPitchDeg: target.pitchDeg,
      faces,
    }),
  );
  const [first] = list;
  if (first === undefined || list.filter((point) => point.faces.length >= 3).length < 3) return null;
  const gazes = first.faces.map((face) => gazeOf(face));
  const { correction, validationYawDeg, validationPitchDeg } = fitCalibration(list, DEFAULT_SETUP);
  return {
    one: {
      ...NO_CORRECTION,
      placeYawDeg: first.targetYawDeg - median(gazes.map((gaze) => gaze.yawDeg)),
      placePitchDeg: first.targetPitchDeg - median(gazes.map((gaze) => gaze.pitchDeg)),
    },
    five: correction,
    validationYawDeg,
    validationPitchDeg,
  };
}

function gazeResultOf(
  frames: readonly Found[],
  sessionOf: (frame: Found) => SessionCorrections | null,
  has: { readonly one: boolean },
): GazeResult {
  const truths = frames.map(({ scene }) => trueGazeOf(scene));
  const gazes = frames.map(({ face }) => gazeOf(face));
  const withSession = frames.filter((frame) => sessionOf(frame) !== null);
  const corrected = (of: 'one' | 'five'): GazeError | null =>
    withSession.length === 0 ? null : gazeErrorOf(withSession, (frame) => sessionOf(frame)?.[of] ?? NO_CORRECTION);
  const byLight = LIGHTS.map((light) => {
    const own = frames.filter(({ scene }) => scene.light === light);
    return [light, gazeErrorOf(own, () => NO_CORRECTION)] as const;
  });
  return {
    ...gazeErrorOf(frames, () => NO_CORRECTION),
    yaw: fitOf(
      truths.map((truth) => truth.yawDeg),
      gazes.map((gaze) => gaze.yawDeg),
    ),
    pitch: fitOf(
      truths.map((truth) => truth.pitchDeg),
      gazes.map((gaze) => gaze.pitchDeg),
    ),
    after1: has.one ? corrected('one') : null,
    after5: corrected('five'),
    byLight: Object.fromEntries(byLight) as Record<Light, GazeError>,
  };
}

function judge(frame: SeenFrame, rule: 'ours' | 'seed'): Judged {
  const expected = frame.expected ?? [];
  const { observation } = frame;
  return {
    subject: frame.set,
    expected,
    focused: expected.length === 0 ? null : expected[0] === 'centered',
    said:
      rule === 'ours'
        ? verdictOf(observation, strangerContext(observation, FRAME)).direction
        : (observation.face?.seedDirection ?? 'no_face'),
    faceFound: observation.face !== null,
  };
}

/** Distances of sessions come first in their number, then lights; see grid.ts. */
function nearestSession(frames: readonly Found[], frame: Found): number | null {
  let best: Found | null = null;
  for (const other of frames) {
    if (other.scene.light !== frame.scene.light) continue;
    const gap = Math.abs(other.scene.distanceCm - frame.scene.distanceCm);
    if (best === null || gap < Math.abs(best.scene.distanceCm - frame.scene.distanceCm)) best = other;
  }
  return best?.session ?? null;
}

/** Everything the report says of rendered frames. */
export function measureSynthetic(frames: readonly SeenFrame[]): SyntheticResult {
  const found = frames.flatMap((frame): Found[] => {
    const { face } = frame.observation;
    return face === null ? [] : [{ ...frame, face }];
  });
  const of = (set: SetName): Found[] => found.filter((frame) => frame.set === set);
  const allOf = (set: SetName): SeenFrame[] => frames.filter((frame) => frame.set === set);
  const calibrations = of('calibration');
  const sessions = new Map(
    [...new Set(calibrations.map(({ session }) => session))].map(
      (session) => [session, calibrate(calibrations.filter((frame) => frame.session === session))] as const,
    ),
  );
  const nearest = (frame: Found): SessionCorrections | null => {
    const session = nearestSession(calibrations, frame);
    return session === null ? null : (sessions.get(session) ?? null);
  };
  const posed = [...of('frontal'), ...of('moving'), ...of('head15'), ...of('states')];
  const pose = (truth: 'headYawDeg' | 'headPitchDeg' | 'headRollDeg'): Fit =>
    fitOf(
      posed.map(({ scene }) => scene[truth]),
      posed.map(({ face }) => face[truth]),
    );
  const [yaw, pitch, roll] = [pose('headYawDeg'), pose('headPitchDeg'), pose('headRollDeg')];
  const rule = (set: SetName, counts: (said: Judged['said']) => boolean): RuleShare => {
    const share = (name: 'ours' | 'seed'): number =>
      mean(allOf(set).map((frame) => (counts(judge(frame, name).said) ? 1 : 0)));
    return { ours: share('ours'), seed: share('seed') };
  };
  const validations = [...sessions.values()];
  return {
    n: frames.length,
    facesFound: found.length,
    frontal: gazeResultOf(of('frontal'), (frame) => sessions.get(frame.session) ?? null, { one: true }),
    moving: gazeResultOf(of('moving'), nearest, { one: true }),
    headPose: {
      n: posed.length,
      yawMaeDeg: yaw.maeDeg,
      pitchMaeDeg: pitch.maeDeg,
      rollMaeDeg: roll.maeDeg,
      yaw,
      pitch,
      roll,
    },
    calibrationValidation: {
      yawDeg: mean(validations.flatMap((each) => each?.validationYawDeg ?? [])),
      pitchDeg: mean(validations.flatMap((each) => each?.validationPitchDeg ?? [])),
    },
    eyes25: {
      n: allOf('eyes25').length,
      offScreen: rule('eyes25', (said) => said !== 'centered' && said !== 'unknown'),
    },
    head15: { n: allOf('head15').length, onScreen: rule('head15', (said) => said === 'centered') },
    conditions: Object.fromEntries(
      (['states', 'glasses', 'dim', 'edge', 'small'] as const).map((set) => {
        const rows = allOf(set).map((frame) => judge(frame, 'ours'));
        const seed = scoreOf(allOf(set).map((frame) => judge(frame, 'seed')));
        return [set, { ours: scoreOf(rows), seed, confusion: confusionOf(rows) }] as const;
      }),
    ),
  };
}
