import type { TrackingError, TrackingErrorType } from '../types.ts';

/** Tells the page what happens. A page's callback that throws must not break tracking. */
export class PageReports {
  readonly #onError: () => (error: TrackingError) => void;
  readonly #reported = new Set<string>();

  /** `onError` yields the page's present callback: pages set it anew at any time. */
  constructor(onError: () => (error: TrackingError) => void) {
    this.#onError = onError;
  }

  tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      reportError(error);
    }
  }

  /** Tells of trouble, once per code until forget(): a fault in every picture is one fault. */
  report(type: TrackingErrorType, message: string, code: string): void {
    if (type === 'SERVER_ERROR' && this.#reported.has(code)) return;
    this.#reported.add(code);
    this.tell(() => this.#onError()({ type, message, code }));
  }

  /** A connection begins or ends: its faults are new ones. */
  forget(): void {
    this.#reported.clear();
  }
}
