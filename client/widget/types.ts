import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
import type { ConnectionPhase } from '../connection/link-state.ts';
import type { ModeWish } from '../session/mode-choice.ts';
import type { ModeReport } from '../session/mode-controller.ts';
import type { TrackingUpdate } from './payload.ts';

/** Kinds of trouble, as pages know them. */
export type TrackingErrorType =
  | 'CAMERA_PERMISSION_DENIED'
  | 'NO_CAMERA'
  | 'CAMERA_ERROR'
  | 'WEBSOCKET_ERROR'
  | 'SERVER_ERROR'
  /** Device mode was asked for, and this device cannot do it. */
  | 'DEVICE_ERROR';

export interface TrackingError {
  readonly type: TrackingErrorType;
  /** For the student: what is wrong and what to do. */
  readonly message: string;
  /** Stable finer code: a CameraTrouble, a fault of the protocol, or an EndReason. */
  readonly code: string;
}

export interface TrackingSession {
  readonly sessionId: string;
  /** True when it goes on after a reconnect or on the next page. */
  readonly resumed: boolean;
}

export interface WebcamWebSocketOptions {
  /** Gateway, http(s) or ws(s). Default: where this script was loaded from. */
  serverUrl?: string;
  /** Most pictures per second; the gateway may want fewer. */
  frameRate?: number;
  /** Most JPEG quality, 0–1. */
  jpegQuality?: number;
  /** Size to ask of the camera. */
  videoWidth?: number;
  videoHeight?: number;
  /** Yields a ticket for each connection. */
  getTicket?: () => Promise<string> | string;
  /** Or: page that answers with JSON {ticket}. Default: `data-ticket-url` of the script tag. */
  ticketUrl?: string;
  /**
   * Where pictures are looked at. `auto` (default) decides by the link and the device, and begins with the server;
   * `device` never sends a picture.
   */
  mode?: ModeWish;
  /** Less data is wanted. Default: what the browser's data saver says. */
  lessData?: boolean;
  /** Pause while the tab is in the background. Default true. */
  pauseWhenHidden?: boolean;
  onTrackingUpdate?: (update: TrackingUpdate) => void;
  onConnectionChange?: (connected: boolean) => void;
  onError?: (error: TrackingError) => void;
  /** A session began, or goes on. */
  onSession?: (session: TrackingSession) => void;
  /** The connection in more detail than onConnectionChange has. */
  onPhaseChange?: (phase: ConnectionPhase) => void;
  /** Where pictures are looked at, and why: at the start and whenever it changes. */
  onModeChange?: (report: ModeReport) => void;
  /** The calibration in use is another one, or there is none; told at every connection. */
  onCalibrationChange?: (status: CalibrationStatus | null) => void;
  /** Capture began, paused or ended. */
  onCaptureChange?: (capturing: boolean) => void;
}
