import {
  type Direction,
  directionFromWire,
  directionToWire,
  FOCUS_STATES,
  type FocusState,
  UNKNOWN_REASONS,
  type UnknownReason,
} from '../direction.ts';
import type { RectPx } from '../geometry.ts';
import { RECT_BYTES, readRect, writeRect } from '../rect-wire.ts';
import { ProtocolError } from './errors.ts';
import { PROTOCOL_VERSION, readTypeByte, TYPE_OFFSET, typeByte } from './version.ts';

/** Type nibble of the one binary message that the gateway sends (PROTOCOL.md, U-1). */
export const UPDATE_TYPE = 8;

/** What became of the acknowledged message. The order is the wire value. */
export const OUTCOMES = [
  'processed',
  /** A newer frame took its place before it reached inference. */
  'superseded',
  /** Inference was full, too late or unavailable: no time is counted for this frame. */
  'unserved',
  /** Not a usable picture; an error message with the code went out as well. */
  'refused',
  /** Its capture time does not move forward, or runs ahead of the real clock. */
  'out_of_order',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Offsets of the fields (PROTOCOL.md, UPDATE). */
const OUTCOME_OFFSET = 1;
const SEQ_OFFSET = 2;
const CAPTURE_MS_OFFSET = 4;
const STATE_OFFSET = 8;
const DIRECTION_OFFSET = 9;
const CONFIDENCE_OFFSET = 10;
const CREDIT_OFFSET = 11;
const FOCUSED_MS_OFFSET = 12;
const UNFOCUSED_MS_OFFSET = 16;
const UNKNOWN_MS_OFFSET = 20;
const UNTRACKED_MS_OFFSET = 24;
const FOCUS_BOUTS_OFFSET = 28;
const UNFOCUS_BOUTS_OFFSET = 30;
const NEXT_CROP_OFFSET = 32;
const MAX_FPS_OFFSET = NEXT_CROP_OFFSET + RECT_BYTES;
const IMAGE_SIZE_OFFSET = 42;
/** It stays this long as long as the protocol is v1 (V-4). */
export const UPDATE_BYTES = 44;

const CONFIDENCE_STEPS = 255;
const FPS_STEPS_PER_HZ = 100;
const MAX_U8 = 0xff;
const MAX_U16 = 0xffff;

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
  /** Why the direction is unknown, where that is known; in the place of the confidence, which is 0 then. */
  readonly reason?: UnknownReason;
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

/** A whole frame searches for a face: small faces need more pixels than a face crop, 320 where that has 192. */
const WHOLE_IMAGE_SCALE = 5 / 3;

/** Longer side of a picture of the whole frame, px, where face crops have `cropSizePx` (U-7). */
export function wholeImageSizePx(cropSizePx: number): number {
  return Math.round(cropSizePx * WHOLE_IMAGE_SCALE);
}

/** Stands for the whole camera frame. */
const NO_CROP: RectPx = { xPx: 0, yPx: 0, widthPx: 0, heightPx: 0 };

/** Encodes an update as UPDATE_BYTES bytes, big-endian. */
export function encodeUpdate(update: Update): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(UPDATE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(TYPE_OFFSET, typeByte(UPDATE_TYPE));
  view.setUint8(OUTCOME_OFFSET, OUTCOMES.indexOf(update.outcome));
  view.setUint16(SEQ_OFFSET, update.seq);
  view.setUint32(CAPTURE_MS_OFFSET, update.captureMs >>> 0);
  view.setUint8(STATE_OFFSET, FOCUS_STATES.indexOf(update.state));
  view.setUint8(DIRECTION_OFFSET, directionToWire(update.direction));
  view.setUint8(
    CONFIDENCE_OFFSET,
    update.direction === 'unknown'
      ? 1 + UNKNOWN_REASONS.indexOf(update.reason as UnknownReason)
      : Math.round(Math.min(1, Math.max(0, update.confidence)) * CONFIDENCE_STEPS),
  );
  view.setUint8(CREDIT_OFFSET, Math.min(MAX_U8, Math.round(update.credit)));
  view.setUint32(FOCUSED_MS_OFFSET, update.focusedMs >>> 0);
  view.setUint32(UNFOCUSED_MS_OFFSET, update.unfocusedMs >>> 0);
  view.setUint32(UNKNOWN_MS_OFFSET, update.unknownMs >>> 0);
  view.setUint32(UNTRACKED_MS_OFFSET, update.untrackedMs >>> 0);
  view.setUint16(FOCUS_BOUTS_OFFSET, Math.min(MAX_U16, update.focusBouts));
  view.setUint16(UNFOCUS_BOUTS_OFFSET, Math.min(MAX_U16, update.unfocusBouts));
  writeRect(view, NEXT_CROP_OFFSET, update.nextCrop ?? NO_CROP);
  view.setUint16(MAX_FPS_OFFSET, Math.min(MAX_U16, Math.round(update.maxFps * FPS_STEPS_PER_HZ)));
  view.setUint16(IMAGE_SIZE_OFFSET, Math.min(MAX_U16, Math.round(update.imageSizePx)));
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
  const { version, type } = readTypeByte(view.getUint8(TYPE_OFFSET));
  if (version !== PROTOCOL_VERSION) throw new ProtocolError('frame_version', `protocol version ${version}`);
  if (type !== UPDATE_TYPE) throw new ProtocolError('frame_type', `unknown message type ${type}`);
  const outcome = OUTCOMES[view.getUint8(OUTCOME_OFFSET)];
  const state = FOCUS_STATES[view.getUint8(STATE_OFFSET)];
  const direction = directionFromWire(view.getUint8(DIRECTION_OFFSET));
  if (outcome === undefined || state === undefined || direction === null) {
    throw new ProtocolError('frame_flags', 'an update with an unknown outcome, state or direction');
  }
  const crop = readRect(view, NEXT_CROP_OFFSET);
  const confidence = view.getUint8(CONFIDENCE_OFFSET);
  const reason = direction === 'unknown' ? UNKNOWN_REASONS[confidence - 1] : undefined;
  return {
    seq: view.getUint16(SEQ_OFFSET),
    captureMs: view.getUint32(CAPTURE_MS_OFFSET),
    outcome,
    state,
    direction,
    confidence: direction === 'unknown' ? 0 : confidence / CONFIDENCE_STEPS,
    ...(reason === undefined ? {} : { reason }),
    credit: view.getUint8(CREDIT_OFFSET),
    focusedMs: view.getUint32(FOCUSED_MS_OFFSET),
    unfocusedMs: view.getUint32(UNFOCUSED_MS_OFFSET),
    unknownMs: view.getUint32(UNKNOWN_MS_OFFSET),
    untrackedMs: view.getUint32(UNTRACKED_MS_OFFSET),
    focusBouts: view.getUint16(FOCUS_BOUTS_OFFSET),
    unfocusBouts: view.getUint16(UNFOCUS_BOUTS_OFFSET),
    nextCrop: crop.widthPx === 0 || crop.heightPx === 0 ? null : crop,
    maxFps: view.getUint16(MAX_FPS_OFFSET) / FPS_STEPS_PER_HZ,
    imageSizePx: view.getUint16(IMAGE_SIZE_OFFSET),
  };
}
