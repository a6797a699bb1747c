/** Types of gaze-relay.mjs, for pages in TypeScript: put this file beside it. */

/** Kinds of trouble, as pages know them. */
export type TrackingErrorType =
  | 'CAMERA_PERMISSION_DENIED'
  | 'NO_CAMERA'
  | 'CAMERA_ERROR'
  | 'WEBSOCKET_ERROR'
  | 'SERVER_ERROR'
  | 'DEVICE_ERROR';

export interface TrackingError {
  readonly type: TrackingErrorType;
  /** For the student: what is wrong and what to do. */
  readonly message: string;
  /** Stable finer code. */
  readonly code: string;
}

/** Why there is no picture. */
export type CameraErrorKind = 'denied' | 'none' | 'in_use' | 'insecure' | 'lost' | 'other';

export interface TrackingSession {
  readonly sessionId: string;
  /** True when it goes on after a reconnect or on the next page. */
  readonly resumed: boolean;
}

/** Sides are those of the unmirrored picture. */
export type PageDirection =
  | 'centered'
  | 'looking_left'
  | 'looking_right'
  | 'looking_up'
  | 'looking_down'
  | 'face_turned'
  | 'eyes_closed'
  | 'no_face'
  | 'distracted';

/** Times in seconds, shares in percent, one decimal each. */
export interface TrackingUpdate {
  /** Last known while nothing can be told (see `current_state`); missing before anything is known. */
  readonly is_focused?: boolean;
  /** Likewise. */
  readonly gaze_direction?: PageDirection;
  readonly metrics: {
    readonly focused_time: number;
    readonly unfocused_time: number;
    /** Focused and unfocused time. */
    readonly total_time: number;
    /** 0–100. */
    readonly focus_percentage: number;
    readonly focus_sessions: number;
    readonly unfocus_sessions: number;
    readonly current_state: 'focused' | 'unfocused' | 'unknown' | 'untracked';
    /** Looked at, but not to be judged. */
    readonly unknown_time: number;
    /** Not looked at. */
    readonly untracked_time: number;
  };
  /** ISO 8601, UTC. */
  readonly timestamp: string;
}

export type ConnectionPhase = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'ended';

export interface ConnectionStats {
  /** Bytes of all messages, without WebSocket, TLS and TCP headers. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Capture to update of the newest acknowledged message, ms. */
  readonly latencyMs: number | null;
  readonly framesSent: number;
  readonly samesSent: number;
  readonly observationsSent: number;
  readonly acked: number;
  /** Pictures or observations of an outage that wait, or are not acknowledged yet. */
  readonly kept: number;
  readonly reconnects: number;
}

/** The gateway's final word on a session, ms. */
export interface Stopped {
  type: 'stopped';
  sessionId: string;
  totals: { focusedMs: number; unfocusedMs: number; unknownMs: number; untrackedMs: number };
  /** True once the last window is on the gateway's disk. */
  saved: boolean;
}

/** Where a page wants pictures to be looked at; `auto` leaves it to what is measured. */
export type ModeWish = 'auto' | 'server' | 'device';

export type ModeReason =
  | 'asked'
  | 'link_good'
  | 'preparing'
  | 'link_slow'
  | 'data_saver'
  | 'device_slow'
  | 'device_unsupported'
  | 'device_failed';

/** Where pictures are looked at, and why. */
export interface ModeReport {
  readonly mode: 'server' | 'device';
  readonly reason: ModeReason;
  /** For the student. */
  readonly message: string;
  /** Part of the models that is loaded while the device is made ready, 0–1; else null. */
  readonly loaded: number | null;
  /** Bytes that the models took of the student's link; 0 before, and where the browser had them. */
  readonly downloadedBytes: number;
}

/** The calibration in use. */
export interface CalibrationStatus {
  version: number;
  ageMs: number;
  yawErrorDeg: number | null;
  pitchErrorDeg: number | null;
}

/** What came of a calibration. */
export interface CalibrationResult {
  readonly outcome: 'calibrated' | 'inexact' | 'refused' | 'skipped' | 'interrupted' | 'unavailable';
  readonly yawErrorDeg: number | null;
  readonly pitchErrorDeg: number | null;
  /** For the student's next session in this browser too. */
  readonly kept: boolean;
}

export interface WebcamWebSocketOptions {
  /** Gateway, http(s) or ws(s). Default: where the script was loaded from. */
  serverUrl?: string;
  /** Most pictures per second. */
  frameRate?: number;
  /** Most quality of a picture, 0–1. */
  jpegQuality?: number;
  /** Size to ask of the camera. */
  videoWidth?: number;
  videoHeight?: number;
  /** Yields a ticket for each connection. */
  getTicket?: () => Promise<string> | string;
  /** Or: page that answers with JSON {ticket}. */
  ticketUrl?: string;
  mode?: ModeWish;
  /** Less data is wanted. Default: what the browser's data saver says. */
  lessData?: boolean;
  /** Pause while the tab is in the background. Default true. */
  pauseWhenHidden?: boolean;
  onTrackingUpdate?: (update: TrackingUpdate) => void;
  onConnectionChange?: (connected: boolean) => void;
  onError?: (error: TrackingError) => void;
  onSession?: (session: TrackingSession) => void;
  onPhaseChange?: (phase: ConnectionPhase) => void;
  onModeChange?: (report: ModeReport) => void;
  onCalibrationChange?: (status: CalibrationStatus | null) => void;
  onCaptureChange?: (capturing: boolean) => void;
}

/** The class of EyeLearn's pages. docs/client.md says what each part does. */
export class WebcamWebSocket {
  constructor(options?: WebcamWebSocketOptions);
  readonly serverUrl: string;
  frameRate: number;
  jpegQuality: number;
  videoWidth: number;
  videoHeight: number;
  userId: number | string | null;
  moduleId: number | string | null;
  sectionId: number | string | null;
  isConnected: boolean;
  isCapturing: boolean;
  onTrackingUpdate: (update: TrackingUpdate) => void;
  onConnectionChange: (connected: boolean) => void;
  onError: (error: TrackingError) => void;
  get stream(): MediaStream | null;
  get videoElement(): HTMLVideoElement | null;
  get sessionId(): string | null;
  get calibration(): CalibrationStatus | null;
  get slowLink(): boolean;
  get lessData(): boolean;
  get modeReport(): ModeReport | null;
  stats(): ConnectionStats | null;
  initialize(userId: number | string, moduleId: number | string, sectionId?: number | string | null): Promise<boolean>;
  startCapture(): void;
  stopCapture(): void;
  stopWebcam(): void;
  disconnect(): void;
  finish(): Promise<Stopped | null>;
  setSection(sectionId: number | string | null): void;
  setMode(mode: ModeWish): void;
  setLessData(lessData: boolean): void;
  calibrate(): Promise<CalibrationResult>;
}
