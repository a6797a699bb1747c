import type { CameraErrorKind } from '../capture/camera.ts';
import type { EndReason } from '../connection/link-state.ts';
import type { TrackingErrorType } from './types.ts';

/** Error type of the old class for a kind of camera error. */
export function cameraErrorType(kind: CameraErrorKind): TrackingErrorType {
  if (kind === 'denied') return 'CAMERA_PERMISSION_DENIED';
  return kind === 'none' ? 'NO_CAMERA' : 'CAMERA_ERROR';
}

/** For the student, when the connection has ended permanently. */
export const END_MESSAGES: Readonly<Record<Exclude<EndReason, 'closed'>, string>> = {
  superseded: 'Tracking continues in another tab or on another device. The camera of this tab is off.',
  refused: 'The tracking server refused this page. Reload it; if that does not help, tell your school.',
  ticket_refused: 'Log in and accept the camera agreement, then start again.',
  unreachable: 'The tracking server cannot be reached. Check the connection, then reload the page.',
};
