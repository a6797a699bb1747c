import type { Mode } from '../../../shared/direction.ts';
import type { Calibration } from '../../../shared/focus/calibration.ts';
import type { FaceRoi, FrameSize, RectPx } from '../../../shared/geometry.ts';
import type { InferenceStatus } from '../../../shared/link.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import type { FaceObservation } from '../../../shared/observation.ts';
import type { Calibrated } from '../../../shared/protocol/calibration.ts';
import type { ClientControl, Hello, Limits, ServerControl } from '../../../shared/protocol/control.ts';
import type { ProtocolError } from '../../../shared/protocol/errors.ts';
import type { ClientMessage } from '../../../shared/protocol/frames.ts';
import type { Update } from '../../../shared/protocol/update.ts';
import type { CalibrationRecord } from '../../store/calibrations.ts';
import type { SessionAccount } from '../account.ts';
import type { OpenCalibration } from '../calibration.ts';
import type { FreezeWatch } from '../freeze.ts';
import type { RelayedFrame, RelaySlot } from '../relay-slot.ts';
import type { TokenBucket } from '../token-bucket.ts';
import type { CalmWatch } from './calm.ts';

/** What an admitted connection carries in each of its phases. */
export interface Admitted {
  readonly account: SessionAccount;
  /** Refused messages so far; too many end the connection. */
  readonly faults: number;
  readonly frameBucket: TokenBucket;
  /** What is left of the rate of text messages and pings (C-6). */
  readonly controlBucket: TokenBucket;
  /** What the client was last told in `welcome` or `limits`. */
  readonly limits: Limits;
  /** What `welcome` agreed on beyond the first v1. */
  readonly features: readonly string[];
}

/** What a connection with a running camera carries. */
export interface Capturing extends Admitted {
  readonly camera: FrameSize;
  readonly slot: RelaySlot;
  readonly freeze: FreezeWatch;
  /** The newest real observation: a "same" message repeats it. */
  readonly lastObservation: FaceObservation | null;
  /** Where the face was, and when on the capture clock. */
  readonly roi: { readonly roi: FaceRoi; readonly captureMs: number } | null;
  readonly nextCrop: RectPx | null;
  readonly calm: CalmWatch;
  /** While the student looks at calibration points. */
  readonly calibration: OpenCalibration | null;
}

/** The client's word that capture ends. */
export type StopMessage = Extract<ClientControl, { type: 'stop' }>;

/** A student's connection, from the socket's opening to its end. */
export type ConnectionState =
  | { readonly phase: 'awaiting_hello'; readonly openedAtMs: number }
  | { readonly phase: 'authenticating'; readonly openedAtMs: number; readonly features: readonly string[] }
  | ({ readonly phase: 'ready' } & Admitted)
  | ({ readonly phase: 'tracking' } & Capturing)
  /** Stopped by the client while a frame is still at inference. */
  | ({ readonly phase: 'stopping'; readonly stop: StopMessage; readonly sinceMs: number } & Capturing)
  | { readonly phase: 'ended' };

export type ConnectionEvent =
  | { readonly type: 'control'; readonly message: ClientControl }
  /** `digest` identifies the image bytes of a frame, the values of an observation, 0–2^32; null for other messages. */
  | {
      readonly type: 'message';
      readonly message: ClientMessage;
      readonly bytes: number;
      readonly digest: number | null;
    }
  /** A WebSocket ping of the client. */
  | { readonly type: 'ping' }
  /** A message that could not be read. */
  | { readonly type: 'fault'; readonly error: ProtocolError; readonly seq: number | null }
  | {
      readonly type: 'admitted';
      readonly account: SessionAccount;
      readonly resumed: boolean;
      readonly resumeToken: string;
      /** For late messages of the session only. */
      readonly lateToken: string;
    }
  | { readonly type: 'observed'; readonly frame: RelayedFrame; readonly observation: FaceObservation }
  | {
      readonly type: 'unserved';
      readonly frame: RelayedFrame;
      readonly status: Exclude<InferenceStatus, 'ok'> | 'unavailable';
    }
  | { readonly type: 'tick' }
  | { readonly type: 'superseded' }
  /** Another gateway has the student already: what was counted here since is not saved. */
  | { readonly type: 'lost'; readonly reason: 'superseded' | 'drain' }
  | { readonly type: 'drain' }
  | { readonly type: 'closed' };

export type ConnectionEffect =
  | { readonly type: 'send'; readonly message: ServerControl }
  /** `late`: the message it answers was held back during an outage. */
  | { readonly type: 'update'; readonly update: Update; readonly late: boolean }
  | { readonly type: 'authenticate'; readonly hello: Hello }
  | {
      readonly type: 'infer';
      readonly frame: RelayedFrame;
      readonly camera: FrameSize;
      readonly roi: FaceRoi | null;
      /** Look for other faces too, although the face of before is looked for where it was. */
      readonly countFaces: boolean;
    }
  | { readonly type: 'save'; readonly window: MetricsWindow }
  /** To be sent with what became of it once the calibration is on disk, or cannot be put there. */
  | {
      readonly type: 'keep_calibration';
      readonly record: CalibrationRecord & { readonly calibration: Calibration };
      readonly message: Omit<Calibrated, 'kept'>;
    }
  /** To be sent as `stopped` once every window saved before it is on disk. */
  | { readonly type: 'stopped'; readonly account: SessionAccount }
  /** The session may be resumed for a while. */
  | { readonly type: 'detach'; readonly account: SessionAccount }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

export interface ConnectionStep {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

export type Ready = Extract<ConnectionState, { phase: 'ready' }>;
export type Tracking = Extract<ConnectionState, { phase: 'tracking' }>;
export type Stopping = Extract<ConnectionState, { phase: 'stopping' }>;

/** The state after an event, the same or another, with effects in order. */
export function next(state: ConnectionState, ...effects: readonly ConnectionEffect[]): ConnectionStep {
  return { state, effects };
}

/** What the reducer needs to know of the world. `nowMs` is UTC ms that never steps backwards. */
export interface ConnectionContext {
  readonly nowMs: number;
  /** What clients in the connection's mode may send now. */
  readonly limits: Limits;
  /** The operator's own limit of the rate, messages per second: beyond twice that a client is refused (F-9). */
  readonly maxFps: number;
  readonly windowMs: number;
  /** Modes that the operator allows. */
  readonly allowedModes: readonly Mode[];
  /** Observations of a device that are older count for nothing, ms (L-6). */
  readonly lateMaxMs: number;
  /** Midnights of the database's time zone, past and coming, UTC ms in order: no window lies on two days. None while they are not known. */
  readonly dayEndsMs: readonly number[];
  /** What this gateway has beyond the first v1. */
  readonly features: readonly string[];
}
