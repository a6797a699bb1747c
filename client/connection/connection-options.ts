import type { FrameSize, RectPx } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import type { CalibrationAnswer } from '../../shared/protocol/calibration.ts';
import type { ServerControl } from '../../shared/protocol/control.ts';
import type { Codec } from '../../shared/protocol/frames.ts';
import type { Update } from '../../shared/protocol/update.ts';
import type { ConnectionPhase, EndReason, Fault } from './link-state.ts';
import type { Outbox } from './outbox.ts';
import type { WebSocketLike } from './socket.ts';

export type Welcome = Extract<ServerControl, { type: 'welcome' }>;
export type Stopped = Extract<ServerControl, { type: 'stopped' }>;

/** A picture to send. Sizes and places in camera pixels of the full frame. */
export interface OutgoingFrame {
  readonly image: Uint8Array;
  readonly codec: Codec;
  readonly crop: RectPx;
  /** True when the crop is the whole camera frame. */
  readonly fullFrame: boolean;
  /** Size of the image where it was made in the pacer's format: the pacer learns from its bytes. */
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
  /** Pictures or observations of an outage that wait, or are not acknowledged yet. */
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
  /** The connection is over and will not come back by itself. */
  onEnded?(reason: EndReason): void;
}

export interface ConnectionOptions extends ConnectionCallbacks {
  /** Address of the gateway's stream, `ws(s)://host/v1/stream`. */
  readonly url: string;
  createSocket(url: string, subprotocol: string): WebSocketLike;
  /**
   * A fresh ticket, asked for at every connect. A rejection with RelayError `ticket_refused` ends
   * the connection, any other one is tried again later.
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
  /** UUID that the browser made for itself: calibrations are kept for it. */
  readonly device?: string | null;
  /** Default 20 s to the first welcome and no limit on later outages; null = never give up. */
  readonly connectWithinMs?: number | null;
  readonly outageLimitMs?: number | null;
  /** How long stop() waits for the gateway's totals, ms. Default 5 s. */
  readonly stopWithinMs?: number;
  /** Keeps what is captured during an outage. Default null: it is dropped. */
  readonly outbox?: Outbox | null;
}
