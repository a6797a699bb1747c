import type { Direction, UnknownReason } from '../direction.ts';
import { NO_CORRECTION } from '../vision/gaze.ts';
import { learnOpenLevel, NO_OPEN_LEVEL, type OpenLevel, opennessShare } from '../vision/open-level.ts';
import {
  DEFAULT_SETUP,
  knownScreenOf,
  type ScreenRegion,
  type ScreenSetup,
  uncalibratedScreenOf,
} from '../vision/screen.ts';
import { isTurnedAway, type Verdict, type VerdictContext, verdictOf } from '../vision/verdict.ts';
import {
  type Account,
  closeBout,
  commitDirection,
  commitUntracked,
  EMPTY_ACCOUNT,
  stateOfDirection,
} from './account.ts';
import type { Calibration } from './calibration.ts';
import type { CaptureBout, FocusReading, FocusSample, FocusTotals, Rule } from './focus.ts';
import { learnCentre, NO_CENTRE, type OwnCentre, screenWithCentre } from './own-centre.ts';
import { distanceCmOf, type StudentView } from './screen-setup.ts';
import { smoothAsSeed } from './seed-smoothing.ts';
import { type Decision, resolveDoubt, type Smoothing, smooth, UNDECIDED } from './smoothing.ts';

/** A longer time without a sample was not observed. */
export const MAX_COVER_MS = 2000;

/** Time constant of the shown confidence. */
const CONFIDENCE_TAU_MS = 500;

/** All there is of a running session's focus; plain JSON, so that it can be handed on and resumed. */
export interface FocusTrackerState {
  readonly rule: Rule;
  readonly calibration: Calibration | null;
  /** The camera and the screen; null where neither is known. */
  readonly view: StudentView | null;
  /** Capture time of the newest sample or settlement, ms; null before the first. */
  readonly atMs: number | null;
  readonly account: Account;
  readonly smoothing: Smoothing;
  /** Verdicts of the newest frames, kept for the rule `seed` alone. */
  readonly seedFrames: readonly Direction[];
  /** Where the student's gaze is read in the mean: under a calibration what the place adds to it. */
  readonly centre: OwnCentre;
  /** How wide the student's eyes are open as a rule. */
  readonly openLevel: OpenLevel;
  /** Why the newest sample says nothing, where that is known. */
  readonly reason: UnknownReason | null;
  readonly confidence: number;
}

/** A session at time 0. `calibration` is ignored by the rule `seed`. */
export function createFocusTracker(options: {
  readonly rule: Rule;
  readonly calibration?: Calibration | null;
  readonly view?: StudentView | null;
  readonly centre?: OwnCentre;
  readonly openLevel?: OpenLevel;
}): FocusTrackerState {
  return {
    rule: options.rule,
    calibration: options.calibration ?? null,
    view: options.view ?? null,
    atMs: null,
    account: EMPTY_ACCOUNT,
    smoothing: UNDECIDED,
    seedFrames: [],
    centre: options.centre ?? NO_CENTRE,
    openLevel: options.openLevel ?? NO_OPEN_LEVEL,
    reason: null,
    confidence: 0,
  };
}

function commitAll(account: Account, decisions: readonly Decision[]): Account {
  return decisions.reduce((sum, { direction, untilMs }) => commitDirection(sum, direction, untilMs), account);
}

/** Decides all that is open up to the newest sample. */
function commitPending(state: FocusTrackerState): FocusTrackerState {
  if (state.atMs === null) return state;
  const { smoothing, decisions } = resolveDoubt(state.smoothing, state.atMs);
  return { ...state, smoothing, account: commitAll(state.account, decisions) };
}

/** The time since the newest sample was not observed. */
function skipTo(state: FocusTrackerState, atMs: number): FocusTrackerState {
  const committed = commitPending(state);
  return {
    ...committed,
    atMs,
    account: commitUntracked(committed.account, atMs),
    smoothing: UNDECIDED,
    seedFrames: [],
    confidence: 0,
  };
}

/**
 * The time up to `atMs` is not observed on purpose: it is untracked, and the next sample starts anew. A moment that is not later
 * than the newest sample changes nothing.
 */
export function skipObserving(state: FocusTrackerState, atMs: number): FocusTrackerState {
  const wholeMs = Math.floor(atMs);
  return wholeMs > (state.atMs ?? 0) ? skipTo(state, wholeMs) : state;
}

/** The screen before this student at this moment: at the distance that the camera sees, where its frame is known. */
function setupOf({ calibration, view }: FocusTrackerState, { observation }: FocusSample): ScreenSetup {
  const known = calibration?.setup ?? { ...DEFAULT_SETUP, ...view?.screen };
  const face = observation?.face ?? null;
  return view === null || face === null ? known : { ...known, distanceCm: distanceCmOf(face, view.camera) };
}

/** What a sample is judged by: the screen without the student's centre, and all of it. */
function contextOf(
  state: FocusTrackerState,
  sample: FocusSample,
): { readonly screen: ScreenRegion; readonly context: VerdictContext } {
  const { calibration, centre } = state;
  const { held } = state.smoothing;
  const setup = setupOf(state, sample);
  const known = knownScreenOf(setup);
  const screen = calibration === null ? uncalibratedScreenOf(setup) : known;
  return {
    screen,
    context: {
      screen: screenWithCentre(screen, known, centre),
      correction: calibration?.correction ?? NO_CORRECTION,
      openShare: opennessShare(state.openLevel),
      held: held === 'unknown' ? null : held,
    },
  };
}

/** One sample's verdict in this session, and what is known of the student after it, where the sample covers `coveredMs`. */
export function judgeSample(
  state: FocusTrackerState,
  sample: FocusSample,
  coveredMs: number,
): { readonly verdict: Verdict; readonly centre: OwnCentre; readonly openLevel: OpenLevel } {
  const { observation } = sample;
  const { centre, openLevel } = state;
  if (observation === null) return { verdict: { direction: 'unknown', confidence: 0, gaze: null }, centre, openLevel };
  const { screen, context } = contextOf(state, sample);
  const verdict = verdictOf(observation, context);
  const { face } = observation;
  if (face === null || verdict.gaze === null || isTurnedAway(face)) return { verdict, centre, openLevel };
  const seenMs = coveredMs * verdict.gaze.eyeWeight;
  return {
    verdict,
    centre: seenMs > 0 ? learnCentre(centre, screen, verdict.gaze, seenMs) : centre,
    openLevel: learnOpenLevel(openLevel, face, coveredMs),
  };
}

function observeGeometric(state: FocusTrackerState, sample: FocusSample, fromMs: number): FocusTrackerState {
  const coveredMs = sample.atMs - fromMs;
  const { verdict, centre, openLevel } = judgeSample(state, sample, coveredMs);
  const { smoothing, decisions } = smooth(state.smoothing, verdict, fromMs, sample.atMs);
  const follow = coveredMs === 0 && state.confidence === 0 ? 1 : 1 - Math.exp(-coveredMs / CONFIDENCE_TAU_MS);
  return {
    ...state,
    atMs: sample.atMs,
    smoothing,
    account: commitAll(state.account, decisions),
    centre,
    openLevel,
    reason: verdict.reason ?? null,
    confidence: state.confidence + follow * (verdict.confidence - state.confidence),
  };
}

function seedVerdict(sample: FocusSample): Direction {
  if (sample.observation === null) return 'unknown';
  return sample.observation.face?.seedDirection ?? 'no_face';
}

function observeAsSeed(state: FocusTrackerState, sample: FocusSample): FocusTrackerState {
  const { recent, direction } = smoothAsSeed(state.seedFrames, seedVerdict(sample));
  const agreeing = recent.filter((frame) => frame === direction).length;
  return {
    ...state,
    atMs: sample.atMs,
    seedFrames: recent,
    smoothing: { ...UNDECIDED, held: direction },
    account: commitDirection(state.account, direction, sample.atMs),
    confidence: direction === 'unknown' ? 0 : agreeing / recent.length,
  };
}

/**
 * Takes one sample, which covers the time since the one before it (since 0 for the first). After a
 * longer time than MAX_COVER_MS that time is untracked, and the sample starts anew. A sample that
 * is not later than the newest one changes nothing.
 */
export function observeSample(state: FocusTrackerState, sample: FocusSample): FocusTrackerState {
  const atMs = Math.floor(sample.atMs);
  const lastMs = state.atMs ?? 0;
  if (!(atMs > lastMs) && !(state.atMs === null && atMs === 0)) return state;
  const base = atMs - lastMs > MAX_COVER_MS ? skipTo(state, atMs) : state;
  const fromMs = base === state ? lastMs : atMs;
  const whole = { atMs, observation: sample.observation };
  return state.rule === 'seed' ? observeAsSeed(base, whole) : observeGeometric(base, whole, fromMs);
}

/**
 * The session's end at `atMs`: everything open is decided, and the time since the newest sample
 * counts as what was then held if it is not longer than MAX_COVER_MS, else as untracked. The open bout ends.
 */
export function settle(state: FocusTrackerState, atMs: number): FocusTrackerState {
  const endMs = Math.max(Math.floor(atMs), state.atMs ?? 0);
  const committed = commitPending(state);
  const isCovered = committed.atMs !== null && endMs - committed.atMs <= MAX_COVER_MS;
  const account = isCovered
    ? commitDirection(committed.account, committed.smoothing.held, endMs)
    : commitUntracked(committed.account, endMs);
  return { ...committed, atMs: endMs, account: closeBout(account) };
}

/** What holds now. State and direction always agree: the state is the direction's. */
export function readingOf(state: FocusTrackerState): FocusReading {
  const direction = state.smoothing.held;
  const isUnknown = direction === 'unknown';
  const { reason } = state;
  return {
    state: stateOfDirection(direction),
    direction,
    confidence: isUnknown ? 0 : state.confidence,
    ...(isUnknown && reason !== null ? { reason } : {}),
  };
}

/** Committed time: never decreasing. What is still undecided (at most about 1.2 s) is not in it. */
export function totalsOf(state: FocusTrackerState): FocusTotals {
  return state.account.totals;
}

/** Time up to the newest sample that is not decided yet, ms. */
export function pendingMsOf(state: FocusTrackerState): number {
  return (state.atMs ?? 0) - state.account.endMs;
}

/** Hands over the bouts that ended since they were last taken. */
export function takeBouts(state: FocusTrackerState): { state: FocusTrackerState; bouts: CaptureBout[] } {
  const { closedBouts } = state.account;
  if (closedBouts.length === 0) return { state, bouts: [] };
  return { state: { ...state, account: { ...state.account, closedBouts: [] } }, bouts: [...closedBouts] };
}
