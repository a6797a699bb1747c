import type { CalibrationAnswer, CalibrationRequest, ShownPoint } from '../../shared/protocol/calibration.ts';

/** Centre and corners of the room for points, clockwise, so that the eyes go a short way each time. */
export const PLACES = [
  { x: 0.5, y: 0.5 },
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
] as const;

/** How long something is shown: until the eyes rest on it, then watched at least, and at most where pictures come slowly. */
interface Timing {
  readonly settleMs: number;
  readonly watchMs: number;
  readonly longestWatchMs: number;
  /** Answered pictures after which it need not be shown longer. */
  readonly enoughPictures: number;
}

/** Eyes find a new point within 0.3 s, and the face in the picture follows. */
export const POINT_TIMING: Timing = { settleMs: 700, watchMs: 1400, longestWatchMs: 3200, enoughPictures: 5 };
/** The words are read first. A head that turns from side to side in 6 s gives three pictures for each 6°. */
export const TURN_TIMING: Timing = { settleMs: 2500, watchMs: 6000, longestWatchMs: 9000, enoughPictures: 18 };
/** The gateway waits at most 2 s for pictures; without an answer after this time there will be none. */
export const ANSWER_WITHIN_MS = 6000;

interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Watching {
  readonly sinceMs: number;
  /** On the capture clock: when the watching began; null while the eyes are on their way. */
  readonly watchedFromMs: number | null;
  /** Answered pictures of the watching so far. */
  readonly pictures: number;
}

/** What the student sees. Times are on the page's monotonic clock, ms. */
export type Step =
  | { readonly name: 'intro' }
  | (Watching & {
      readonly name: 'point';
      /** Index in PLACES. */
      readonly place: number;
      /** Points that come after it in this pass. */
      readonly rest: readonly number[];
      /** How many points this pass has. */
      readonly passLength: number;
    })
  /** The student turns the head and keeps looking at the first of PLACES. */
  | (Watching & { readonly name: 'turn' })
  | { readonly name: 'waiting'; readonly sinceMs: number }
  | { readonly name: 'result'; readonly answer: CalibrationAnswer | null }
  | { readonly name: 'ended' };

export interface SequenceState {
  readonly step: Step;
  /** When each of PLACES was watched; null before it was. */
  readonly shown: readonly (Interval | null)[];
  /** When the head was turned; `offered` from when it was offered until then, and for good where it was left out. */
  readonly turning: Interval | 'offered' | null;
  /** The gateway takes readings of a turning head. */
  readonly canTurn: boolean;
  /** The gateway is collecting readings. */
  readonly isOpen: boolean;
}

/** Capture clock readings are null while nothing is captured. */
export type SequenceEvent =
  | { readonly type: 'begin'; readonly nowMs: number; readonly clockMs: number | null; readonly canTurn: boolean }
  | { readonly type: 'tick'; readonly nowMs: number; readonly clockMs: number | null }
  /** A picture captured at this time was analysed. */
  | { readonly type: 'processed'; readonly captureMs: number }
  | { readonly type: 'answer'; readonly answer: CalibrationAnswer }
  /** Connection, camera or the window's size changed. */
  | { readonly type: 'interrupted' }
  /** The student does not turn the head. */
  | { readonly type: 'leave_out'; readonly nowMs: number }
  | { readonly type: 'leave' };

export type SequenceEffect = { readonly type: 'send'; readonly request: CalibrationRequest } | { readonly type: 'end' };

export interface SequenceStep {
  readonly state: SequenceState;
  readonly effects: readonly SequenceEffect[];
}

/** Where the points are on the screen: shares of it, in the order of PLACES. */
export type ScreenPlaces = readonly { readonly across: number; readonly down: number }[];

const NOTHING_SHOWN: readonly null[] = PLACES.map(() => null);

export const INTRO: SequenceState = {
  step: { name: 'intro' },
  shown: NOTHING_SHOWN,
  turning: null,
  canTurn: false,
  isOpen: false,
};

function next(state: SequenceState): SequenceStep {
  return { state, effects: [] };
}

/** One step of a calibration as the student goes through it: pure. */
export function stepSequence(state: SequenceState, event: SequenceEvent, places: ScreenPlaces): SequenceStep {
  if (state.step.name === 'ended') return next(state);
  switch (event.type) {
    case 'begin':
      return begin({ ...state, canTurn: event.canTurn }, event.nowMs, event.clockMs);
    case 'tick':
      return tick(state, event.nowMs, event.clockMs, places);
    case 'processed':
      return next(countPicture(state, event.captureMs));
    case 'answer':
      return state.step.name === 'waiting' ? next(withAnswer(state, event.answer)) : next(state);
    case 'interrupted':
      return state.step.name === 'intro' || state.step.name === 'result' ? next(state) : interrupt(state);
    case 'leave_out':
      return state.step.name === 'turn' ? finish(state, event.nowMs, places) : next(state);
    case 'leave':
      return {
        state: { ...state, isOpen: false, step: { name: 'ended' } },
        effects: [...abort(state), { type: 'end' }],
      };
  }
}

/** Points that the gateway needs again; all of them if it has no readings to continue with. */
function placesToShow({ step, isOpen, shown }: SequenceState): number[] {
  const all = PLACES.map((_, place) => place);
  if (!isOpen || step.name !== 'result' || step.answer === null || shown.some((interval) => interval === null))
    return all;
  const { points } = step.answer;
  const failed = all.filter((place) => points[place]?.ok === false);
  return failed.length === 0 ? all : failed;
}

function begin(state: SequenceState, nowMs: number, clockMs: number | null): SequenceStep {
  if (state.step.name !== 'intro' && state.step.name !== 'result') return next(state);
  if (clockMs === null) return interrupt(state);
  const [first, ...rest] = placesToShow(state);
  if (first === undefined) return next(state);
  const isRepeat = rest.length + 1 < PLACES.length;
  return {
    state: {
      ...state,
      step: pointStep(first, rest, rest.length + 1, nowMs),
      ...(isRepeat ? {} : { shown: NOTHING_SHOWN, turning: null }),
      isOpen: true,
    },
    effects: isRepeat ? [] : [{ type: 'send', request: { type: 'calibrate' } }],
  };
}

function pointStep(place: number, rest: readonly number[], passLength: number, nowMs: number): Step {
  return { name: 'point', place, rest, passLength, ...watchingFrom(nowMs) };
}

function watchingFrom(nowMs: number): Watching {
  return { sinceMs: nowMs, watchedFromMs: null, pictures: 0 };
}

function isWatching(step: Step): step is Extract<Step, Watching> {
  return step.name === 'point' || step.name === 'turn';
}

function countPicture(state: SequenceState, captureMs: number): SequenceState {
  const { step } = state;
  if (!isWatching(step) || step.watchedFromMs === null || captureMs < step.watchedFromMs) return state;
  return { ...state, step: { ...step, pictures: step.pictures + 1 } };
}

function tick(state: SequenceState, nowMs: number, clockMs: number | null, places: ScreenPlaces): SequenceStep {
  const { step } = state;
  if (step.name === 'waiting') return nowMs - step.sinceMs >= ANSWER_WITHIN_MS ? interrupt(state) : next(state);
  if (!isWatching(step)) return next(state);
  if (clockMs === null) return interrupt(state);
  const { settleMs, watchMs, longestWatchMs, enoughPictures } = step.name === 'turn' ? TURN_TIMING : POINT_TIMING;
  const watchedMs = nowMs - step.sinceMs - settleMs;
  if (step.watchedFromMs === null) {
    return watchedMs < 0 ? next(state) : next({ ...state, step: { ...step, watchedFromMs: clockMs } });
  }
  const isDone = watchedMs >= watchMs && step.pictures >= enoughPictures;
  if (!isDone && watchedMs < longestWatchMs) return next(state);
  const interval = { fromMs: step.watchedFromMs, untilMs: clockMs };
  if (step.name === 'turn') return finish({ ...state, turning: interval }, nowMs, places);
  const shown = state.shown.map((before, index) => (index === step.place ? interval : before));
  const [place, ...rest] = step.rest;
  if (place !== undefined) return next({ ...state, shown, step: pointStep(place, rest, step.passLength, nowMs) });
  if (state.canTurn && state.turning === null) {
    return next({ ...state, shown, turning: 'offered', step: { name: 'turn', ...watchingFrom(nowMs) } });
  }
  return finish({ ...state, shown }, nowMs, places);
}

function finish(state: SequenceState, nowMs: number, places: ScreenPlaces): SequenceStep {
  return {
    state: { ...state, step: { name: 'waiting', sinceMs: nowMs } },
    effects: [{ type: 'send', request: finishRequest(state, places) }],
  };
}

function finishRequest({ shown, turning }: SequenceState, places: ScreenPlaces): CalibrationRequest {
  const points = places.flatMap((place, i): ShownPoint[] => {
    const interval = shown[i];
    return interval == null ? [] : [{ ...place, ...interval }];
  });
  const [middle] = places;
  const turned =
    middle === undefined || turning === null || turning === 'offered' ? {} : { turning: { ...middle, ...turning } };
  // The gateway has the screen's size from `start`.
  return { type: 'calibrate_finish', points, screen: null, ...turned };
}

function withAnswer(state: SequenceState, answer: CalibrationAnswer): SequenceState {
  const isOpen = answer.type === 'calibration_refused' && answer.reason === 'too_few_readings';
  return { ...state, isOpen, step: { name: 'result', answer } };
}

function abort(state: SequenceState): SequenceEffect[] {
  return state.isOpen ? [{ type: 'send', request: { type: 'calibrate_abort' } }] : [];
}

function interrupt(state: SequenceState): SequenceStep {
  return { state: { ...state, isOpen: false, step: { name: 'result', answer: null } }, effects: abort(state) };
}
