import type { CalibrationAnswer, CalibrationRequest, ShownPoint } from '../../shared/protocol/calibration.ts';

/** Centre and corners of the room for points, clockwise, so that the eyes go a short way each time. */
export const PLACES = [
  { x: 0.5, y: 0.5 },
  { x: 0, y: 0 },
  { x: 1, y: 0 },
  { x: 1, y: 1 },
  { x: 0, y: 1 },
] as const;

/** Until the eyes rest on a new point: they find it within 0.3 s, and the face in the picture follows. */
export const SETTLE_MS = 700;
/** How long a point is watched at least, and at most where pictures come slowly. */
export const WATCH_MS = 1400;
export const LONGEST_WATCH_MS = 3200;
/** Answered pictures after which a point need not be shown longer. */
const ENOUGH_PICTURES = 5;
/** The gateway waits at most 2 s for pictures; without an answer after this time there will be none. */
export const ANSWER_WITHIN_MS = 6000;

interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What the student sees. Times are on the page's monotonic clock, ms. */
export type Step =
  | { readonly name: 'intro' }
  | {
      readonly name: 'point';
      /** Index in PLACES. */
      readonly place: number;
      /** Points that come after it in this pass. */
      readonly rest: readonly number[];
      /** How many points this pass has. */
      readonly passLength: number;
      readonly sinceMs: number;
      /** On the capture clock: when the watching began; null while the eyes are on their way. */
      readonly watchedFromMs: number | null;
      /** Answered pictures of the watching so far. */
      readonly pictures: number;
    }
  | { readonly name: 'waiting'; readonly sinceMs: number }
  | { readonly name: 'result'; readonly answer: CalibrationAnswer | null }
  | { readonly name: 'ended' };

export interface SequenceState {
  readonly step: Step;
  /** When each of PLACES was watched; null before it was. */
  readonly shown: readonly (Interval | null)[];
  /** The gateway is collecting readings. */
  readonly isOpen: boolean;
}

/** Capture clock readings are null while nothing is captured. */
export type SequenceEvent =
  | { readonly type: 'begin'; readonly nowMs: number; readonly clockMs: number | null }
  | { readonly type: 'tick'; readonly nowMs: number; readonly clockMs: number | null }
  /** A picture captured at this time was analysed. */
  | { readonly type: 'processed'; readonly captureMs: number }
  | { readonly type: 'answer'; readonly answer: CalibrationAnswer }
  /** Connection, camera or the window's size changed. */
  | { readonly type: 'interrupted' }
  | { readonly type: 'leave' };

export type SequenceEffect = { readonly type: 'send'; readonly request: CalibrationRequest } | { readonly type: 'end' };

export interface SequenceStep {
  readonly state: SequenceState;
  readonly effects: readonly SequenceEffect[];
}

/** Where the points are on the screen: shares of it, in the order of PLACES. */
export type ScreenPlaces = readonly { readonly across: number; readonly down: number }[];

const NOTHING_SHOWN: readonly null[] = PLACES.map(() => null);

export const INTRO: SequenceState = { step: { name: 'intro' }, shown: NOTHING_SHOWN, isOpen: false };

function next(state: SequenceState): SequenceStep {
  return { state, effects: [] };
}

/** One step of a calibration as the student goes through it: pure. */
export function stepSequence(state: SequenceState, event: SequenceEvent, places: ScreenPlaces): SequenceStep {
  if (state.step.name === 'ended') return next(state);
  switch (event.type) {
    case 'begin':
      return begin(state, event.nowMs, event.clockMs);
    case 'tick':
      return tick(state, event.nowMs, event.clockMs, places);
    case 'processed':
      return next(countPicture(state, event.captureMs));
    case 'answer':
      return state.step.name === 'waiting' ? next(withAnswer(state, event.answer)) : next(state);
    case 'interrupted':
      return state.step.name === 'point' || state.step.name === 'waiting' ? interrupt(state) : next(state);
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
      step: pointStep(first, rest, rest.length + 1, nowMs),
      shown: isRepeat ? state.shown : NOTHING_SHOWN,
      isOpen: true,
    },
    effects: isRepeat ? [] : [{ type: 'send', request: { type: 'calibrate' } }],
  };
}

function pointStep(place: number, rest: readonly number[], passLength: number, nowMs: number): Step {
  return { name: 'point', place, rest, passLength, sinceMs: nowMs, watchedFromMs: null, pictures: 0 };
}

function countPicture(state: SequenceState, captureMs: number): SequenceState {
  const { step } = state;
  if (step.name !== 'point' || step.watchedFromMs === null || captureMs < step.watchedFromMs) return state;
  return { ...state, step: { ...step, pictures: step.pictures + 1 } };
}

function tick(state: SequenceState, nowMs: number, clockMs: number | null, places: ScreenPlaces): SequenceStep {
  const { step } = state;
  if (step.name === 'waiting') return nowMs - step.sinceMs >= ANSWER_WITHIN_MS ? interrupt(state) : next(state);
  if (step.name !== 'point') return next(state);
  if (clockMs === null) return interrupt(state);
  const forMs = nowMs - step.sinceMs;
  if (step.watchedFromMs === null) {
    return forMs < SETTLE_MS ? next(state) : next({ ...state, step: { ...step, watchedFromMs: clockMs } });
  }
  const watchedMs = forMs - SETTLE_MS;
  const isDone = watchedMs >= WATCH_MS && step.pictures >= ENOUGH_PICTURES;
  if (!isDone && watchedMs < LONGEST_WATCH_MS) return next(state);
  const interval = { fromMs: step.watchedFromMs, untilMs: clockMs };
  const shown = state.shown.map((before, index) => (index === step.place ? interval : before));
  const [place, ...rest] = step.rest;
  if (place !== undefined) return next({ ...state, shown, step: pointStep(place, rest, step.passLength, nowMs) });
  return {
    state: { ...state, shown, step: { name: 'waiting', sinceMs: nowMs } },
    effects: [{ type: 'send', request: finishRequest(shown, places) }],
  };
}

function finishRequest(shown: SequenceState['shown'], places: ScreenPlaces): CalibrationRequest {
  const points = places.flatMap((place, i): ShownPoint[] => {
    const interval = shown[i];
    return interval == null ? [] : [{ ...place, ...interval }];
  });
  // The gateway has the screen's size from `start`.
  return { type: 'calibrate_finish', points, screen: null };
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
