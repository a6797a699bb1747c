import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';

/** The calibration in use as the gateway told it, growing older meanwhile. */
export class CalibrationStanding {
  readonly #now: () => number;
  #told: { readonly status: CalibrationStatus; readonly atMs: number } | null = null;

  /** `now` is a monotonic clock, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  set(status: CalibrationStatus | null): void {
    this.#told = status === null ? null : { status, atMs: this.#now() };
  }

  get status(): CalibrationStatus | null {
    if (this.#told === null) return null;
    const { version, ageMs, yawErrorDeg, pitchErrorDeg } = this.#told.status;
    return { version, ageMs: ageMs + Math.round(this.#now() - this.#told.atMs), yawErrorDeg, pitchErrorDeg };
  }
}
