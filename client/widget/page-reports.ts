import type { CameraErrorKind } from '../capture/camera.ts';
import { CAMERA_HELP } from '../capture/camera.ts';
import type { EndReason, Fault } from '../connection/link-state.ts';
import { loadAsset } from '../lib/gateway-assets.ts';
import type { ModeReport } from '../session/mode-controller.ts';
import { cameraErrorType, END_MESSAGES } from './camera-error-types.ts';
import type { TrackerOnPage } from './page-trouble.ts';
import type { TrackingError, TrackingErrorType } from './types.ts';

/** Finds the error that the page around the tracker causes; null where it causes none. */
export type ExplainTrouble = (
  trouble: typeof import('./page-trouble.ts'),
  tracker: TrackerOnPage,
) => TrackingError | null | Promise<TrackingError | null>;

/** Calls the page's callbacks. One that throws must not break tracking. */
export class PageReports {
  readonly #onError: () => (error: TrackingError) => void;
  readonly #reported = new Set<string>();
  #lastFault: Fault | null = null;

  /** `onError` returns the page's current callback: pages may replace it at any time. */
  constructor(onError: () => (error: TrackingError) => void) {
    this.#onError = onError;
  }

  call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      reportError(error);
    }
  }

  /** Reports an error, once per code until forget(): a fault in every picture is one fault. */
  report(type: TrackingErrorType, message: string, code: string): void {
    if (type === 'SERVER_ERROR' && this.#reported.has(code)) return;
    this.#reported.add(code);
    this.call(() => this.#onError()({ type, message, code }));
  }

  reportCamera(kind: CameraErrorKind): void {
    this.report(cameraErrorType(kind), CAMERA_HELP[kind], kind);
  }

  /**
   * Reports what the page around the tracker forbids, unless tracking has ended since (`isCurrent`). Resolves with
   * whether something was reported. Never rejects.
   */
  async reportTrouble(
    explain: ExplainTrouble,
    tracker: () => TrackerOnPage,
    isCurrent: () => boolean,
  ): Promise<boolean> {
    try {
      const trouble = await loadAsset<typeof import('./page-trouble.ts')>('pageTrouble', tracker().httpOrigin);
      const error = await explain(trouble, tracker());
      if (error === null || !isCurrent()) return false;
      this.report(error.type, error.message, error.code);
      return true;
    } catch {
      return false;
    }
  }

  /** Faults that end the connection are reported with its end, or resolve themselves. */
  reportFault(fault: Fault): void {
    this.#lastFault = fault;
    if (!fault.fatal) this.report('SERVER_ERROR', fault.message, fault.code);
  }

  /** Device mode was requested and is not available. */
  reportMode({ mode, reason, message }: ModeReport): void {
    if (mode !== 'device' || (reason !== 'device_unsupported' && reason !== 'device_failed')) return;
    this.report('DEVICE_ERROR', message, reason);
  }

  /** The connection has ended permanently. */
  reportEnd(reason: Exclude<EndReason, 'closed'>): void {
    const message = END_MESSAGES[reason];
    const detail = this.#lastFault?.message;
    const explained = reason === 'superseded' || detail === undefined ? message : `${message} (${detail})`;
    this.forget();
    this.report(reason === 'unreachable' ? 'WEBSOCKET_ERROR' : 'SERVER_ERROR', explained, reason);
  }

  /** A connection starts or ends: its faults are new ones. */
  forget(): void {
    this.#reported.clear();
    this.#lastFault = null;
  }
}
