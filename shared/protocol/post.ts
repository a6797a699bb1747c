import { RelayError } from '../errors.ts';
import { PROTOCOL_VERSION, readTypeByte, TYPE_OFFSET, typeByte } from './version.ts';

/** Body of a POST, or of its answer, where the stream goes over HTTP (PROTOCOL.md, H-2). */
export interface Post {
  /** Names the connection; empty in the POST that opens one, and in every answer but the first. */
  readonly token: Uint8Array;
  /** Number of the POST, from 0, wraps after 65,535; an answer has that of its POST. */
  readonly number: number;
  readonly parts: readonly PostPart[];
}

/** What a WebSocket would carry as a message of its own, or as its close. Texts are UTF-8. */
export interface PostPart {
  readonly kind: 'text' | 'binary' | 'close';
  readonly bytes: Uint8Array;
}

/** Low nibble of the first byte: no message of the hot path has it. */
const POST_TYPE = 0;
const TOKEN_LENGTH_OFFSET = 1;
const TOKEN_OFFSET = 2;
const NUMBER_BYTES = 2;
/** Kind and length. */
const PART_HEADER_BYTES = 4;
const PART_KINDS = ['text', 'binary', 'close'] as const satisfies readonly PostPart['kind'][];
const PART_LENGTH_MASK = 0xff_ffff;

/** More than an outage leaves to announce at once: a `start` and 100 section switches (C-6). */
export const MAX_POST_PARTS = 128;
export const MAX_TOKEN_BYTES = 64;
/** Beside one picture there is room for this much: control messages, observations. */
export const POST_EXTRA_BYTES = 16 * 1024;

export const NO_TOKEN = new Uint8Array(0);

/** The number after `number`. */
export function nextPostNumber(number: number): number {
  return (number + 1) & 0xffff;
}

/** The connection ends with this close code; nothing comes after it. */
export function closePart(code: number): PostPart {
  return { kind: 'close', bytes: Uint8Array.of(code >> 8, code & 0xff) };
}

/** The code of a close; null where it has none. */
export function closeCodeOf({ bytes }: PostPart): number | null {
  const [high, low] = bytes;
  return high === undefined || low === undefined ? null : (high << 8) | low;
}

/** Encodes a body, big-endian. */
export function encodePost({ token, number, parts }: Post): Uint8Array<ArrayBuffer> {
  const partsOffset = TOKEN_OFFSET + token.byteLength + NUMBER_BYTES;
  const length = parts.reduce((sum, part) => sum + PART_HEADER_BYTES + part.bytes.byteLength, partsOffset);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint8(TYPE_OFFSET, typeByte(POST_TYPE));
  view.setUint8(TOKEN_LENGTH_OFFSET, token.byteLength);
  bytes.set(token, TOKEN_OFFSET);
  view.setUint16(partsOffset - NUMBER_BYTES, number);
  let offset = partsOffset;
  for (const { kind, bytes: content } of parts) {
    // The kind is the highest of the four bytes.
    view.setUint32(offset, PART_KINDS.indexOf(kind) * 2 ** 24 + content.byteLength);
    bytes.set(content, offset + PART_HEADER_BYTES);
    offset += PART_HEADER_BYTES + content.byteLength;
  }
  return bytes;
}

/** Decodes a body. Bytes of binary parts are views into `bytes`. Throws RelayError `post_invalid`. */
export function decodePost(bytes: Uint8Array): Post {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < TOKEN_OFFSET + NUMBER_BYTES) throw invalid(`${bytes.byteLength} bytes are no body`);
  const { version, type } = readTypeByte(view.getUint8(TYPE_OFFSET));
  if (version !== PROTOCOL_VERSION || type !== POST_TYPE) throw invalid('the first byte is not that of a body');
  const tokenBytes = view.getUint8(TOKEN_LENGTH_OFFSET);
  const partsOffset = TOKEN_OFFSET + tokenBytes + NUMBER_BYTES;
  if (tokenBytes > MAX_TOKEN_BYTES || bytes.byteLength < partsOffset) throw invalid('the token is too long');
  const parts: PostPart[] = [];
  for (let offset = partsOffset; offset < bytes.byteLength; ) {
    if (parts.length === MAX_POST_PARTS) throw invalid(`more than ${MAX_POST_PARTS} parts`);
    if (bytes.byteLength < offset + PART_HEADER_BYTES) throw invalid('a part ends within its header');
    const header = view.getUint32(offset);
    const start = offset + PART_HEADER_BYTES;
    const end = start + (header & PART_LENGTH_MASK);
    if (bytes.byteLength < end) throw invalid('a part ends too early');
    const kind = PART_KINDS[header >>> 24];
    if (kind === undefined) throw invalid(`unknown kind of part ${header >>> 24}`);
    parts.push({ kind, bytes: bytes.subarray(start, end) });
    offset = end;
  }
  const token = bytes.subarray(TOKEN_OFFSET, TOKEN_OFFSET + tokenBytes);
  return { token, number: view.getUint16(partsOffset - NUMBER_BYTES), parts };
}

function invalid(message: string): RelayError {
  return new RelayError('post_invalid', message);
}
