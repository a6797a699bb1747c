import { type Direction, directionFromWire, directionToWire, FOCUS_STATES, type FocusState } from '../direction.ts';
import type { RectPx } from '../geometry.ts';
import { ProtocolError } from './errors.ts';
import { PROTOCOL_VERSION } from './version.ts';

/** Type nibble of the one binary message that the gateway sends (PROTOCOL.md, U-1). */
export const UPDATE_TYPE = 8;

/** What became of the acknowledged message. The order is the wire value. */
export const OUTCOMES = [
  'processed',
  /** A newer frame took its place before it was looked at. */
  'superseded',
  /** Inference was full, too late or away: time goes on, this frame was not looked at. */
  'unserved',
  /** Not a usable picture; an error message with the code went out as well. */
  'refused',
  /** Its capture time does not move forward, or runs ahead of the real clock. */
  'out_of_order',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const UPDATE_BYTES = 44;

/** The gateway's answer to every message of the hot path, and its acknowledgement. */
export interface Update {
  /** Sequence number and capture time of the message that this acknowledges. */
  readonly seq: number;
  readonly captureMs: number;
  readonly outcome: Outcome;
  readonly state: FocusState;
  readonly direction: Direction;
  /** 0–1. */
  readonly confidence: number;
  /** Totals of the session, whole ms. */
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly unknownMs: number;
  readonly untrackedMs: number;
  readonly focusBouts: number;
  readonly unfocusBouts: number;
  /** Part of the camera frame to send next, camera pixels; null = the whole frame, small. */
  readonly nextCrop: RectPx | null;
  /** Most frames per second the gateway wants now. */
  readonly maxFps: number;
  /** Most unacknowledged messages in flight. */
  readonly credit: number;
  /** Longer side of the image to send, px. */
  readonly imageSizePx: number;
}

const CROP_NONE = 0;

/** Encodes an update as UPDATE_BYTES bytes, big-endian. */
export function encodeUpdate(update: Update): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(UPDATE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (PROTOCOL_VERSION << 4) | UPDATE_TYPE);
  view.setUint8(1, OUTCOMES.indexOf(update.outcome));
  view.setUint16(2, update.seq);
  view.setUint32(4, update.captureMs >>> 0);
  view.setUint8(8, FOCUS_STATES.indexOf(update.state));
  view.setUint8(9, directionToWire(update.direction));
  view.setUint8(10, Math.round(Math.min(1, Math.max(0, update.confidence)) * 255));
  view.setUint8(11, Math.min(255, Math.round(update.credit)));
  view.setUint32(12, update.focusedMs >>> 0);
  view.setUint32(16, update.unfocusedMs >>> 0);
  view.setUint32(20, update.unknownMs >>> 0);
  view.setUint32(24, update.untrackedMs >>> 0);
  view.setUint16(28, Math.min(65_535, update.focusBouts));
  view.setUint16(30, Math.min(65_535, update.unfocusBouts));
  const crop = update.nextCrop;
  view.setUint16(32, crop === null ? CROP_NONE : crop.xPx);
  view.setUint16(34, crop === null ? CROP_NONE : crop.yPx);
  view.setUint16(36, crop === null ? CROP_NONE : crop.widthPx);
  view.setUint16(38, crop === null ? CROP_NONE : crop.heightPx);
  view.setUint16(40, Math.min(65_535, Math.round(update.maxFps * 100)));
  view.setUint16(42, Math.min(65_535, Math.round(update.imageSizePx)));
  return bytes;
}

/**
 * Decodes an update. Throws ProtocolError `frame_truncated`, `frame_version`, `frame_type` or
 * `frame_flags` (an enum value this version does not know).
 */
export function decodeUpdate(bytes: Uint8Array): Update {
  if (bytes.byteLength !== UPDATE_BYTES) {
    throw new ProtocolError('frame_truncated', `an update has ${UPDATE_BYTES} bytes, this one ${bytes.byteLength}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint8(0);
  if (first >> 4 !== PROTOCOL_VERSION) throw new ProtocolError('frame_version', `protocol version ${first >> 4}`);
  if ((first & 15) !== UPDATE_TYPE) throw new ProtocolError('frame_type', `unknown message type ${first & 15}`);
  const outcome = OUTCOMES[view.getUint8(1)];
  const state = FOCUS_STATES[view.getUint8(8)];
  const direction = directionFromWire(view.getUint8(9));
  if (outcome === undefined || state === undefined || direction === null) {
    throw new ProtocolError('frame_flags', 'an update with an unknown outcome, state or direction');
  }
  const widthPx = view.getUint16(36);
  const heightPx = view.getUint16(38);
  return {
    seq: view.getUint16(2),
    captureMs: view.getUint32(4),
    outcome,
    state,
    direction,
    confidence: view.getUint8(10) / 255,
    credit: view.getUint8(11),
    focusedMs: view.getUint32(12),
    unfocusedMs: view.getUint32(16),
    unknownMs: view.getUint32(20),
    untrackedMs: view.getUint32(24),
    focusBouts: view.getUint16(28),
    unfocusBouts: view.getUint16(30),
    nextCrop:
      widthPx === 0 || heightPx === 0 ? null : { xPx: view.getUint16(32), yPx: view.getUint16(34), widthPx, heightPx },
    maxFps: view.getUint16(40) / 100,
    imageSizePx: view.getUint16(42),
  };
}
