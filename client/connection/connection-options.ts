import type { FrameSize, RectPx } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import type { CalibrationAnswer } from '../../shared/protocol/calibration.ts';
import type { ServerControl } from '../../shared/protocol/control.ts';
import { FEATURES } from '../../shared/protocol/features.ts';
import type { Codec } from '../../shared/protocol/frames.ts';
import type { Update } from '../../shared/protocol/update.ts';
import type { ConnectionPhase, EndReason, Fault, LinkRules } from './link-state.ts';
import type { Outbox } from './outbox.ts';
import type { WebSocketLike } from './socket.ts';

export type Welcome = Extract<ServerControl, { type: 'welcome' }>;

/** The gateway's final totals of a session. */
export interface Stopped {
  readonly type: 'stopped';
  readonly sessionId: string;
  readonly totals: {
    readonly focusedMs: number;
    readonly unfocusedMs: number;
    readonly unknownMs: number;
    readonly untrackedMs: number;
  };
  /** True once the last window is on the gateway's disk. */
  readonly saved: boolean;
}

/** A picture to send. Sizes and positions in camera pixels of the full frame. */
export interface OutgoingFrame {
  readonly image: Uint8Array;
  readonly codec: Codec;
  readonly crop: RectPx;
  /** True when the crop is the whole camera frame. */
  readonly fullFrame: boolean;
  /** Size of the image, if it was made in the pacer's format: the pacer learns from its bytes. */
  readonly size?: FrameSize;
  /** Capture time on the capture clock, whole ms. */
  readonly captureMs: number;
}

/** An observation made on the device, in camera pixels of the full frame. */
export interface OutgoingObservation {
  readonly observation: FaceObservation;
  /** Capture time on the capture clock, whole ms. */
  readonly captureMs: number;
}

export interface ConnectionStats {
  /** Bytes of all messages of this object, both kinds, without WebSocket, TLS and TCP headers. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Capture to update of the newest acknowledged message, ms; null before the first. */
  readonly latencyMs: number | null;
  /** Pictures, "same" messages and observations sent, and how many messages were acknowledged. */
  readonly framesSent: number;
  readonly samesSent: number;
  readonly observationsSent: number;
  readonly acked: number;
  /** Pictures or observations of an outage that are queued or not acknowledged yet. */
  readonly kept: number;
  readonly reconnects: number;
}

export interface ConnectionCallbacks {
  onWelcome?(welcome: Welcome): void;
  onUpdate?(update: Update, latencyMs: number | null): void;
  /** The gateway's answer to a calibration. */
  onCalibration?(answer: CalibrationAnswer): void;
  onFault?(fault: Fault): void;
  onConnectionChange?(phase: ConnectionPhase): void;
  /** The connection has ended and will not reconnect. */
  onEnded?(reason: EndReason): void;
}

export interface ConnectionOptions extends ConnectionCallbacks {
  /** Address of the gateway's stream, `ws(s)://host/v1/stream`. */
  readonly url: string;
  createSocket(url: string, subprotocol: string): WebSocketLike;
  /**
   * Fetches a new ticket, at every connect. A rejection with RelayError `ticket_refused` ends the connection, any
   * other is retried.
   */
  getTicket(): Promise<string>;
  /** Monotonic clock, ms. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(handle: unknown): void;
  /** Resume token of an earlier page load. */
  readonly resumeToken?: string | null;
  readonly client?: string;
  /** UUID that the browser generated for itself: calibrations are stored for it. */
  readonly device?: string | null;
  /** Default 20 s to the first welcome and no limit on later outages; null = never give up. */
  readonly connectWithinMs?: number | null;
  readonly outageLimitMs?: (() => number | null) | null;
  /** How long stop() waits for the gateway's totals, ms. Default 5 s. */
  readonly stopWithinMs?: number;
  /** Queues what is captured during an outage. Default null: it is dropped. */
  readonly outbox?: Outbox | null;
}

/** The options that the link reducer needs now, with their defaults. */
export function linkRules({ client, device, connectWithinMs, outageLimitMs }: ConnectionOptions): LinkRules {
  return {
    client: client ?? 'gaze-relay-client',
    device: device ?? null,
    features: FEATURES,
    connectWithinMs: connectWithinMs === undefined ? 20_000 : connectWithinMs,
    outageLimitMs: outageLimitMs?.() ?? null,
  };
}
