import type { RectPx } from '../geometry.ts';
import { decodeObservation, encodeObservation, type FaceObservation, OBSERVATION_BYTES } from '../observation.ts';
import { RECT_BYTES, readRect, writeRect } from '../rect-wire.ts';
import { ProtocolError } from './errors.ts';
import { PROTOCOL_VERSION, readTypeByte, TYPE_OFFSET, typeByte } from './version.ts';

/** Types of client messages: the low nibble of the first byte (PROTOCOL.md, F-2). */
export const FRAME_TYPE = { frame: 1, same: 2, observation: 3 } as const;

/** What the image bytes are (F-4). */
export const CODECS = ['jpeg', 'webp'] as const;
export type Codec = (typeof CODECS)[number];

/** Offsets of the header's fields (PROTOCOL.md, binary messages of the client). */
const FLAGS_OFFSET = 1;
const SEQ_OFFSET = 2;
const CAPTURE_MS_OFFSET = 4;
const CROP_OFFSET = 8;
export const FRAME_HEADER_BYTES = CROP_OFFSET + RECT_BYTES;
export const SAME_BYTES = FRAME_HEADER_BYTES;
export const OBSERVATION_MESSAGE_BYTES = FRAME_HEADER_BYTES + OBSERVATION_BYTES;

const FLAG_CODEC_MASK = 0b0011;
const FLAG_LATE = 0b0100;
const FLAG_FULL_FRAME = 0b1000;
const KNOWN_FLAGS = FLAG_CODEC_MASK | FLAG_LATE | FLAG_FULL_FRAME;

/** Fields common to all client messages of the hot path. */
interface ClientMessageHeader {
  /** Sequence number, 0–65535, wraps. */
  readonly seq: number;
  /** Capture time: whole ms on the client's monotonic clock since the session's start. */
  readonly captureMs: number;
  /** Held back during an outage and sent afterwards. */
  readonly late: boolean;
}

/** A picture: a crop of the camera frame, encoded. */
export interface FrameMessage extends ClientMessageHeader {
  readonly kind: 'frame';
  readonly codec: Codec;
  /** Part of the full camera frame that the image shows, camera pixels. */
  readonly crop: RectPx;
  /** True when the crop is the whole camera frame: a search for a face. */
  readonly fullFrame: boolean;
  readonly image: Uint8Array;
}

/** The picture has not changed since the last frame. */
export interface SameMessage extends ClientMessageHeader {
  readonly kind: 'same';
}

/** An observation made on the device. */
export interface ObservationMessage extends ClientMessageHeader {
  readonly kind: 'observation';
  readonly observation: FaceObservation;
}

export type ClientMessage = FrameMessage | SameMessage | ObservationMessage;

/** Bytes that a client message has once encoded. */
export function clientMessageBytes(message: Pick<ClientMessage, 'kind'> & { readonly image?: Uint8Array }): number {
  switch (message.kind) {
    case 'frame':
      return FRAME_HEADER_BYTES + (message.image?.byteLength ?? 0);
    case 'same':
      return SAME_BYTES;
    case 'observation':
      return OBSERVATION_MESSAGE_BYTES;
  }
}

function writeHeader(view: DataView, type: number, flags: number, message: ClientMessageHeader, crop: RectPx | null) {
  view.setUint8(TYPE_OFFSET, typeByte(type));
  view.setUint8(FLAGS_OFFSET, flags | (message.late ? FLAG_LATE : 0));
  view.setUint16(SEQ_OFFSET, message.seq & 0xffff);
  view.setUint32(CAPTURE_MS_OFFSET, message.captureMs >>> 0);
  if (crop !== null) writeRect(view, CROP_OFFSET, crop);
}

/** Encodes a client message, big-endian. The image of a frame is copied once. */
export function encodeClientMessage(message: ClientMessage): Uint8Array<ArrayBuffer> {
  switch (message.kind) {
    case 'frame': {
      const bytes = new Uint8Array(FRAME_HEADER_BYTES + message.image.byteLength);
      const flags = CODECS.indexOf(message.codec) | (message.fullFrame ? FLAG_FULL_FRAME : 0);
      writeHeader(new DataView(bytes.buffer), FRAME_TYPE.frame, flags, message, message.crop);
      bytes.set(message.image, FRAME_HEADER_BYTES);
      return bytes;
    }
    case 'same': {
      const bytes = new Uint8Array(SAME_BYTES);
      writeHeader(new DataView(bytes.buffer), FRAME_TYPE.same, 0, message, null);
      return bytes;
    }
    case 'observation': {
      const bytes = new Uint8Array(OBSERVATION_MESSAGE_BYTES);
      const view = new DataView(bytes.buffer);
      writeHeader(view, FRAME_TYPE.observation, 0, message, null);
      encodeObservation(view, FRAME_HEADER_BYTES, message.observation);
      return bytes;
    }
  }
}

/**
 * Decodes a client message. The image of a frame is a view into `bytes`. Throws ProtocolError:
 * `frame_truncated`, `frame_version`, `frame_type`, `frame_flags`, `frame_geometry`, `frame_empty`,
 * `observation_invalid`.
 */
export function decodeClientMessage(bytes: Uint8Array): ClientMessage {
  if (bytes.byteLength < 1) throw new ProtocolError('frame_truncated', 'an empty binary message');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { version, type } = readTypeByte(view.getUint8(TYPE_OFFSET));
  if (version !== PROTOCOL_VERSION) {
    throw new ProtocolError('frame_version', `protocol version ${version}, this gateway speaks ${PROTOCOL_VERSION}`);
  }
  if (type !== FRAME_TYPE.frame && type !== FRAME_TYPE.same && type !== FRAME_TYPE.observation) {
    throw new ProtocolError('frame_type', `unknown message type ${type}`);
  }
  if (bytes.byteLength < FRAME_HEADER_BYTES) {
    throw new ProtocolError('frame_truncated', `${bytes.byteLength} bytes, a header has ${FRAME_HEADER_BYTES}`);
  }
  const flags = view.getUint8(FLAGS_OFFSET);
  if ((flags & ~KNOWN_FLAGS) !== 0) throw new ProtocolError('frame_flags', `unknown flags 0x${flags.toString(16)}`);
  const header = {
    seq: view.getUint16(SEQ_OFFSET),
    captureMs: view.getUint32(CAPTURE_MS_OFFSET),
    late: (flags & FLAG_LATE) !== 0,
  };
  if (type === FRAME_TYPE.same) {
    assertLength(bytes, SAME_BYTES, 'a "same" message');
    return { kind: 'same', ...header };
  }
  if (type === FRAME_TYPE.observation) {
    assertLength(bytes, OBSERVATION_MESSAGE_BYTES, 'an observation message');
    try {
      return { kind: 'observation', ...header, observation: decodeObservation(view, FRAME_HEADER_BYTES) };
    } catch (error) {
      throw new ProtocolError('observation_invalid', error instanceof Error ? error.message : String(error));
    }
  }
  const codec = CODECS[flags & FLAG_CODEC_MASK];
  if (codec === undefined) throw new ProtocolError('frame_flags', `unknown codec ${flags & FLAG_CODEC_MASK}`);
  const crop = readRect(view, CROP_OFFSET);
  if (crop.widthPx === 0 || crop.heightPx === 0) {
    throw new ProtocolError('frame_geometry', `a crop of ${crop.widthPx}×${crop.heightPx} pixels has no area`);
  }
  if (bytes.byteLength === FRAME_HEADER_BYTES) throw new ProtocolError('frame_empty', 'a frame without image bytes');
  return {
    kind: 'frame',
    ...header,
    codec,
    fullFrame: (flags & FLAG_FULL_FRAME) !== 0,
    crop,
    image: bytes.subarray(FRAME_HEADER_BYTES),
  };
}

function assertLength(bytes: Uint8Array, expected: number, what: string): void {
  if (bytes.byteLength !== expected) {
    throw new ProtocolError('frame_truncated', `${what} has ${expected} bytes, this one ${bytes.byteLength}`);
  }
}
