/** Major version of the wire protocol: the high nibble of every binary message. */
export const PROTOCOL_VERSION = 1;

/** Byte 0 of every binary message: the version in its high nibble, the message's type in the low one. */
export const TYPE_OFFSET = 0;
const TYPE_BITS = 4;
const TYPE_MASK = 0x0f;

/** Byte 0 of a message of this type. */
export function typeByte(type: number): number {
  return (PROTOCOL_VERSION << TYPE_BITS) | type;
}

/** Version and type from byte 0. */
export function readTypeByte(byte: number): { readonly version: number; readonly type: number } {
  return { version: byte >> TYPE_BITS, type: byte & TYPE_MASK };
}

/** WebSocket subprotocol that both sides must name (rule C-1). */
export const SUBPROTOCOL = 'gaze-relay.v1';

/** Path of the students' WebSocket. */
export const STREAM_PATH = '/v1/stream';
