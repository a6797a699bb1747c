import { noteModuleUrl } from './browser/script-tag.ts';

export type { CalibrationStatus } from '../shared/protocol/calibration.ts';
export type { CameraTrouble } from './browser/camera.ts';
export type { ModeReport } from './browser/mode-controller.ts';
export type { CalibrationResult } from './calibration/calibrate.ts';
export type { ConnectionPhase, ConnectionStats, Stopped } from './core/connection-options.ts';
export type { ModeReason, ModeWish } from './core/mode-choice.ts';
export type { PageDirection, TrackingUpdate } from './core/payload.ts';
export { WebcamWebSocket } from './drop-in.ts';
export type { TrackingError, TrackingErrorType, TrackingSession, WebcamWebSocketOptions } from './types.ts';

noteModuleUrl(import.meta.url);
