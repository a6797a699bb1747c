/** Major version of the wire protocol: the high nibble of every binary message. */
export const PROTOCOL_VERSION = 1;

/** WebSocket subprotocol that both sides must name (rule C-1). */
export const SUBPROTOCOL = 'gaze-relay.v1';

/** Path of the students' WebSocket. */
export const STREAM_PATH = '/v1/stream';
