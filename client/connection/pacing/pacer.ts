import type { PictureFormat } from './formats.ts';
import {
  initialPacing,
  isSlow,
  mostFps,
  nextFormat,
  type PacingBounds,
  type PacingEvent,
  type PacingState,
  pictureWaitMs,
  type SentPictureSize,
  stepPacing,
  wantedFps,
} from './pacing.ts';

/** Bounds that a page has not said anything about. */
export const NO_BOUNDS: PacingBounds = { pageFps: null, gatewayFps: null, lessData: false, webp: false };

/** Pacing of one connection: the reducer with its state and a clock. */
export class Pacer {
  readonly #now: () => number;
  #state: PacingState;

  /** `now` is the monotonic clock, ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#state = initialPacing(NO_BOUNDS, now());
  }

  get state(): PacingState {
    return this.#state;
  }

  /** Observations per second that page and gateway want. */
  get wantedFps(): number {
    return wantedFps(this.#state.bounds);
  }

  /** Most pictures per second at present. */
  get fps(): number {
    return mostFps(this.#state.bounds);
  }

  /** True when pictures are fewer or smaller than they would be on a good link. */
  get slow(): boolean {
    return isSlow(this.#state);
  }

  /** Format of the next picture; `mostQuality` 0–1 is the page's upper bound. */
  format(mostQuality: number): PictureFormat {
    return nextFormat(this.#state, mostQuality);
  }

  /** How long a picture of this size has to wait, ms; 0 = it may go now. */
  waitMs(picture: SentPictureSize): number {
    return pictureWaitMs(this.#state, picture, this.#now());
  }

  /** Changes some of the bounds. */
  bound(bounds: Partial<PacingBounds>): void {
    const { bounds: before } = this.#state;
    const after = { ...before, ...bounds };
    const changed = (Object.keys(after) as (keyof PacingBounds)[]).some((key) => after[key] !== before[key]);
    if (changed) this.note({ type: 'bounds', bounds: after });
  }

  note(event: PacingEvent): void {
    this.#state = stepPacing(this.#state, event);
  }
}
