import {
  type Calibration,
  type CalibrationPoint,
  carriedOver,
  fitCalibration,
  MIN_READINGS,
} from '../../../shared/focus/calibration.ts';
import { likelyScreenSize } from '../../../shared/focus/likely-screen.ts';
import { keptCentre, NO_CENTRE, type OwnCentre } from '../../../shared/focus/own-centre.ts';
import { type StudentView, screenSetupOf } from '../../../shared/focus/screen-setup.ts';
import { createFocusTracker, judgeSample } from '../../../shared/focus/tracker.ts';
import type { FaceMeasurement, FaceObservation } from '../../../shared/observation.ts';
import { gazeOf } from '../../../shared/vision/gaze.ts';
import { targetAnglesOf } from '../../../shared/vision/screen.ts';
import { isTurnedAway, type Verdict } from '../../../shared/vision/verdict.ts';
import { type Fit, fitOf } from '../fit.ts';
import type { DotFrame } from './frame.ts';

/** How long one frame stands for: it is a whole look at its dot. */
const FRAME_MS = 5000;
/** A person's own centre is judged from here on. */
const LEARNING_MS = 30_000;
/** Dots of a session that make its calibration. */
const CALIBRATION_DOTS = 5;
/** Less of the eyes than this is no reading for a calibration, as in a session. */
const MIN_EYE_WEIGHT = 0.5;

/** Share of frames called on-screen, 0–1; null where there is no frame to judge. */
export interface DotShares {
  readonly default: number | null;
  readonly ownCentre: number | null;
  readonly after5: number | null;
  readonly before: number | null;
}

export interface DotPerson {
  readonly person: string;
  readonly n: number;
  readonly onScreen: DotShares;
  readonly asSent: DotShares;
  readonly yaw: Fit;
  readonly pitch: Fit;
}

export interface DotsResult {
  readonly n: number;
  readonly onScreen: DotShares;
  readonly asSent: DotShares;
  readonly closedAlarms: { readonly whole: number; readonly asSent: number };
  /** Uncalibrated gaze of whole pictures against the truth. */
  readonly yaw: Fit;
  readonly pitch: Fit;
  readonly people: readonly DotPerson[];
}

type Way = 'whole' | 'asSent';
type Kind = keyof DotShares;

/** A judged frame. */
interface Judged {
  readonly frame: DotFrame;
  readonly verdict: Verdict;
}

/** What a page knows of its screen. */
function viewOf({ camera, dot }: DotFrame): StudentView {
  return { camera, screen: likelyScreenSize({ widthPx: dot.pageWidthPx, heightPx: dot.pageHeightPx }) };
}

function judge(
  frame: DotFrame,
  observation: FaceObservation,
  known: { readonly calibration: Calibration | null; readonly centre: OwnCentre },
): { readonly verdict: Verdict; readonly centre: OwnCentre } {
  const state = createFocusTracker({ rule: 'geometric', view: viewOf(frame), ...known });
  return judgeSample(state, { atMs: 0, observation }, FRAME_MS);
}

function groupsOf<T>(rows: readonly T[], nameOf: (row: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(nameOf(row), [...(groups.get(nameOf(row)) ?? []), row]);
  return [...groups.values()];
}

function sessionsOf(frames: readonly DotFrame[]): DotFrame[][] {
  return groupsOf(frames, ({ person, session }) => JSON.stringify([person, session]));
}

/** Frames in order as a session sees them: each is judged by what was learnt before it. */
function follow(frames: readonly DotFrame[], way: Way, calibration: Calibration | null, begin: OwnCentre) {
  let centre = begin;
  const judged = frames.map((frame): Judged => {
    const next = judge(frame, frame[way], { calibration, centre });
    centre = next.centre;
    return { frame, verdict: next.verdict };
  });
  return { judged, centre };
}

/** A person's frames by their own centre, which is kept from one session to the next, without the first half minute. */
function byOwnCentre(frames: readonly DotFrame[], way: Way): Judged[] {
  let centre = NO_CENTRE;
  return sessionsOf(frames)
    .flatMap((session) => {
      const followed = follow(session, way, null, keptCentre(centre));
      centre = followed.centre;
      return followed.judged;
    })
    .slice(LEARNING_MS / FRAME_MS);
}

function readingOf(frame: DotFrame, way: Way): FaceMeasurement | null {
  const { face } = frame[way];
  if (face === null || isTurnedAway(face)) return null;
  const { gaze } = judge(frame, frame[way], { calibration: null, centre: NO_CENTRE }).verdict;
  return gaze === null || gaze.eyeWeight < MIN_EYE_WEIGHT ? null : face;
}

/** The calibration of a session's first dots; null where too few of them show open eyes. */
function calibrationOf(session: readonly DotFrame[], way: Way): Calibration | null {
  const readings = session.slice(0, CALIBRATION_DOTS).flatMap((frame) => {
    const face = readingOf(frame, way);
    return face === null ? [] : [{ frame, face }];
  });
  const [first] = readings;
  if (first === undefined) return null;
  const faces = readings.map(({ face }) => face);
  const setup = screenSetupOf(viewOf(first.frame).screen, faces, first.frame.camera);
  const points = readings.map(({ frame: { dot }, face }): CalibrationPoint => {
    const target = targetAnglesOf(dot.xPx / dot.pageWidthPx, dot.yPx / dot.pageHeightPx, setup);
    // One frame is a whole look.
    const looks = Array.from({ length: MIN_READINGS }, () => face);
    return { targetYawDeg: target.yawDeg, targetPitchDeg: target.pitchDeg, faces: looks };
  });
  return points.length < CALIBRATION_DOTS - 1 ? null : fitCalibration(points, setup);
}

function judgedBy(frames: readonly DotFrame[], way: Way, kind: Kind): Judged[] {
  switch (kind) {
    case 'default':
      return frames.map((frame) => ({
        frame,
        verdict: judge(frame, frame[way], { calibration: null, centre: NO_CENTRE }).verdict,
      }));
    case 'ownCentre':
      return byOwnCentre(frames, way);
    case 'after5':
      return sessionsOf(frames).flatMap(
        (session) => follow(session.slice(CALIBRATION_DOTS), way, calibrationOf(session, way), NO_CENTRE).judged,
      );
    case 'before':
      return sessionsOf(frames).flatMap((session, i, sessions) => {
        const last = sessions[i - 1];
        if (last === undefined) return [];
        const calibration = calibrationOf(last, way);
        return follow(session, way, calibration === null ? null : carriedOver(calibration), NO_CENTRE).judged;
      });
  }
}

const KINDS: readonly Kind[] = ['default', 'ownCentre', 'after5', 'before'];

function share(rows: readonly Judged[], isRight: (verdict: Verdict) => boolean): number | null {
  return rows.length === 0 ? null : rows.filter(({ verdict }) => isRight(verdict)).length / rows.length;
}

type JudgedByKind = Readonly<Record<Kind, readonly Judged[]>>;

function sharesOf(judged: JudgedByKind): DotShares {
  const of = (kind: Kind): number | null => share(judged[kind], ({ direction }) => direction === 'centered');
  return { default: of('default'), ownCentre: of('ownCentre'), after5: of('after5'), before: of('before') };
}

function fitsOf(frames: readonly DotFrame[]): { readonly yaw: Fit; readonly pitch: Fit } {
  const seen = frames.flatMap(({ truth, whole }) =>
    truth === null || whole.face === null ? [] : [{ truth, gaze: gazeOf(whole.face) }],
  );
  const fitOn = (axis: 'yawDeg' | 'pitchDeg'): Fit =>
    fitOf(
      seen.map(({ truth }) => truth[axis]),
      seen.map(({ gaze }) => gaze[axis]),
    );
  return { yaw: fitOn('yawDeg'), pitch: fitOn('pitchDeg') };
}

/** On-screen recall and gaze of people who look at known dots, all together and by person. */
export function measureDots(frames: readonly DotFrame[]): DotsResult {
  const people = groupsOf(frames, ({ person }) => person).map((own) => {
    const byKind = (way: Way): JudgedByKind => {
      const entries = KINDS.map((kind) => [kind, judgedBy(own, way, kind)] as const);
      return Object.fromEntries(entries) as Record<Kind, Judged[]>;
    };
    return { own, whole: byKind('whole'), asSent: byKind('asSent') };
  });
  const all = (way: Way): JudgedByKind => {
    const entries = KINDS.map((kind) => [kind, people.flatMap((person) => person[way][kind])] as const);
    return Object.fromEntries(entries) as Record<Kind, Judged[]>;
  };
  const [whole, asSent] = [all('whole'), all('asSent')];
  const closed = (judged: JudgedByKind): number =>
    share(judged.default, ({ direction }) => direction === 'eyes_closed') ?? 0;
  return {
    n: frames.length,
    onScreen: sharesOf(whole),
    asSent: sharesOf(asSent),
    closedAlarms: { whole: closed(whole), asSent: closed(asSent) },
    ...fitsOf(frames),
    people: people.map((person) => ({
      person: person.own[0]?.person ?? '',
      n: person.own.length,
      onScreen: sharesOf(person.whole),
      asSent: sharesOf(person.asSent),
      ...fitsOf(person.own),
    })),
  };
}

function fitJson({ correlation, slope, biasDeg, maeDeg }: Fit) {
  return { r: correlation, slope, biasDeg, maeDeg };
}

/** The `dots` object of `--json`: shares from 0 to 1. */
export function dotsJson({ n, onScreen, asSent, closedAlarms, yaw, pitch, people }: DotsResult) {
  return {
    n,
    onScreen,
    asSent,
    closedAlarms,
    yaw: fitJson(yaw),
    pitch: fitJson(pitch),
    perPerson: people.map((person) => ({
      person: person.person,
      n: person.n,
      onScreen: person.onScreen,
      pitchBiasDeg: person.pitch.biasDeg,
    })),
  };
}
