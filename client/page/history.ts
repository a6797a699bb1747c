import type { FocusState } from '../../shared/direction.ts';

/** What a moment of the strip chart shows; null = nothing was tracked (paused, not started). */
export type Moment = FocusState | null;

/** A stretch of one state. Times on the page's monotonic clock, ms. */
export interface Stretch {
  readonly state: Moment;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The states of the last `spanMs`, as stretches. */
export class StateHistory {
  readonly #spanMs: number;
  #stretches: Stretch[] = [];

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** The state has been `state` since the last note, up to now. */
  note(nowMs: number, state: Moment): void {
    const last = this.#stretches.at(-1);
    if (last === undefined) {
      this.#stretches.push({ state, fromMs: nowMs, toMs: nowMs });
    } else if (last.state === state) {
      this.#stretches[this.#stretches.length - 1] = { ...last, toMs: nowMs };
    } else {
      this.#stretches.push({ state, fromMs: last.toMs, toMs: nowMs });
    }
    this.#stretches = this.#stretches.filter(({ toMs }) => toMs > nowMs - this.#spanMs || toMs === nowMs);
  }

  /** Stretches within the span before `nowMs`, oldest first. */
  within(nowMs: number): readonly Stretch[] {
    const startMs = nowMs - this.#spanMs;
    return this.#stretches
      .filter(({ toMs }) => toMs > startMs)
      .map((stretch) => ({ ...stretch, fromMs: Math.max(startMs, stretch.fromMs) }));
  }

  /** Milliseconds of each state within the span. */
  sums(nowMs: number): Readonly<Record<FocusState, number>> {
    const sums = { focused: 0, unfocused: 0, unknown: 0, untracked: 0 };
    for (const { state, fromMs, toMs } of this.within(nowMs)) if (state !== null) sums[state] += toMs - fromMs;
    return sums;
  }
}
