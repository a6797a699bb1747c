import { noteModuleUrl } from './widget/script-tag.ts';

export type { CalibrationStatus } from '../shared/protocol/calibration.ts';
export type { CalibrationResult } from './calibration/result.ts';
export type { CameraErrorKind } from './capture/camera.ts';
export type { ConnectionStats, Stopped } from './connection/connection-options.ts';
export type { ConnectionPhase } from './connection/link-state.ts';
export type { Notice } from './session/device-mode.ts';
export type { ModeReason, ModeWish } from './session/mode-choice.ts';
export type { ModeReport } from './session/mode-controller.ts';
export type { TrackingSession } from './session/student-session.ts';
export { WebcamWebSocket } from './widget/drop-in.ts';
export type { PageDirection, TrackingUpdate } from './widget/payload.ts';
export type { TrackingError, TrackingErrorType, WebcamWebSocketOptions } from './widget/types.ts';

noteModuleUrl(import.meta.url);
