/**
 * Requests of several students are gathered, so that they are written, analysed and answered one after the other: all but the
 * first find caches warm, and neither service wakes for each of them. One that comes alone takes up to three times the
 * processor time.
 */

/** A request waits for others at most so long: an eighth of what a page shows of a change at the earliest. */
export const GATHER_MS = 40;
/** So many need not wait for more. */
export const GATHER_REQUESTS = 8;
/** Fewer than this are to be expected within GATHER_MS: waiting would bring nothing. */
const FEWEST_EXPECTED = 2;
/** Weight of the newest pause in the running mean. */
const PAUSE_WEIGHT = 0.1;
/** A longer pause says no more. */
const LONGEST_PAUSE_MS = 1000;

/** How fast requests come; ms, of one clock that never steps back. */
export interface RequestRate {
  readonly newestAtMs: number;
  readonly meanPauseMs: number;
}

export const NO_REQUESTS: RequestRate = { newestAtMs: Number.NEGATIVE_INFINITY, meanPauseMs: LONGEST_PAUSE_MS };

/** A request comes. */
export function noteRequest({ newestAtMs, meanPauseMs }: RequestRate, nowMs: number): RequestRate {
  const pauseMs = Math.min(LONGEST_PAUSE_MS, nowMs - newestAtMs);
  return { newestAtMs: nowMs, meanPauseMs: meanPauseMs + PAUSE_WEIGHT * (pauseMs - meanPauseMs) };
}

/** How long requests may be held for others, ms; 0: those that are there are sent at once. */
export function gatherMs({ meanPauseMs }: RequestRate): number {
  return meanPauseMs * FEWEST_EXPECTED <= GATHER_MS ? GATHER_MS : 0;
}
