import type { CalibrationAnswer, CalibrationRequest } from '../../shared/protocol/calibration.ts';

/** Events of the session for a running calibration. */
export interface CalibrationListener {
  onAnswer(answer: CalibrationAnswer): void;
  /** A picture captured at this time of the capture clock was analysed. */
  onProcessed(captureMs: number): void;
  /** Capture or connection ended. */
  onInterrupted(): void;
}

/** The session's side of a calibration. */
export interface CalibrationChannelOptions {
  /** Capture clock, ms; null while it does not run. */
  clockMs(): number | null;
  /** False when nothing is captured. */
  send(request: CalibrationRequest): boolean;
}

/** Connects a session with the calibration that runs; one at a time. */
export class CalibrationChannel {
  /** The gateway takes readings of a turning head (feature `turning`). */
  canTurn = false;
  readonly #options: CalibrationChannelOptions;
  #listener: CalibrationListener | null = null;

  constructor(options: CalibrationChannelOptions) {
    this.#options = options;
  }

  /** True while a calibration runs: every picture must then be a real one. */
  get isBusy(): boolean {
    return this.#listener !== null;
  }

  clockMs(): number | null {
    return this.#options.clockMs();
  }

  send(request: CalibrationRequest): boolean {
    return this.#options.send(request);
  }

  /** Listens until the returned function is called. */
  listen(listener: CalibrationListener): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = null;
    };
  }

  answer(answer: CalibrationAnswer): void {
    this.#listener?.onAnswer(answer);
  }

  processed(captureMs: number): void {
    this.#listener?.onProcessed(captureMs);
  }

  interrupt(): void {
    this.#listener?.onInterrupted();
  }
}
