import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
import type { ConnectionPhase } from '../connection/link-state.ts';
import type { Notice } from '../session/device-mode.ts';
import type { ModeWish } from '../session/mode-choice.ts';
import type { ModeReport } from '../session/mode-controller.ts';
import type { TrackingSession } from '../session/student-session.ts';
import type { TrackingUpdate } from './payload.ts';

/** Error types that pages handle. */
export type TrackingErrorType =
  | 'CAMERA_PERMISSION_DENIED'
  | 'NO_CAMERA'
  | 'CAMERA_ERROR'
  | 'WEBSOCKET_ERROR'
  | 'SERVER_ERROR'
  /** Device mode was requested, and this device does not support it. */
  | 'DEVICE_ERROR';

export interface TrackingError {
  readonly type: TrackingErrorType;
  /** For the student: what is wrong and what to do. */
  readonly message: string;
  /** Stable, finer code: a CameraErrorKind, a fault of the protocol, or an EndReason. */
  readonly code: string;
}

export interface WebcamWebSocketOptions {
  /** Gateway, http(s) or ws(s). Default: where this script was loaded from. */
  serverUrl?: string;
  /** Maximum pictures per second; the gateway may ask for fewer. */
  frameRate?: number;
  /** Maximum quality of a picture, 0–1. */
  jpegQuality?: number;
  /** Size to request from the camera. */
  videoWidth?: number;
  videoHeight?: number;
  /** Returns a ticket, called for each connection. */
  getTicket?: () => Promise<string> | string;
  /** Or: page that answers with JSON {ticket}. Default: `data-ticket-url` of the script tag. */
  ticketUrl?: string;
  /**
   * Where pictures are analysed. `auto` (default) decides by the link and the device, and starts with the server;
   * `device` never sends a picture.
   */
  mode?: ModeWish;
  /** Use less data. Default: the browser's data saver. */
  lessData?: boolean;
  /** Pause while the tab is in the background. Default true. */
  pauseWhenHidden?: boolean;
  onTrackingUpdate?: (update: TrackingUpdate) => void;
  onConnectionChange?: (connected: boolean) => void;
  onError?: (error: TrackingError) => void;
  /** A session started or was resumed. */
  onSession?: (session: TrackingSession) => void;
  /** The connection in more detail than onConnectionChange has. */
  onPhaseChange?: (phase: ConnectionPhase) => void;
  /** Where pictures are analysed, and why: at the start and at every change. */
  onModeChange?: (report: ModeReport) => void;
  /** The calibration in use, null without one: at every connection and after each calibration. */
  onCalibrationChange?: (status: CalibrationStatus | null) => void;
  /** What the student can be told of a lesson that was kept on the device. */
  onNotice?: (notice: Notice) => void;
  /** Capture started, paused or ended. */
  onCaptureChange?: (capturing: boolean) => void;
}
