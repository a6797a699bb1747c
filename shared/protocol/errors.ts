import { RelayError } from '../errors.ts';

/**
 * Close codes of the students' WebSocket (PROTOCOL.md, rules X-*). Browsers may send only 1000 and
 * 3000–4999 themselves.
 */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolViolation: 4400,
  unauthorized: 4401,
  forbidden: 4403,
  helloTimeout: 4408,
  superseded: 4409,
  tooMuch: 4429,
  internal: 4500,
} as const;

export type CloseName = keyof typeof CLOSE;

/** Every fault that an `error` may name. What follows from each stands apart: browsers do without it. */
export const PROTOCOL_FAULT_NAMES = [
  'subprotocol_missing',
  'hello_expected',
  'hello_timeout',
  'ticket_invalid',
  'ticket_expired',
  'consent_missing',
  'control_not_json',
  'control_invalid',
  'control_unexpected',
  'frame_truncated',
  'frame_version',
  'frame_type',
  'frame_flags',
  'frame_geometry',
  'frame_empty',
  'frame_mode',
  'frame_not_started',
  'image_format',
  'image_too_large',
  'image_corrupt',
  'observation_invalid',
  'rate_exceeded',
  'too_many_faults',
  'too_many_sessions',
  'slow_reader',
  'superseded',
  'shutting_down',
  'internal',
] as const;

export type ProtocolFault = (typeof PROTOCOL_FAULT_NAMES)[number];

/** Whether the connection ends with a fault, and whether a client should connect again by itself. */
export const PROTOCOL_FAULTS: Readonly<
  Record<ProtocolFault, { readonly close: CloseName | null; readonly retry: boolean }>
> = {
  subprotocol_missing: { close: 'protocolViolation', retry: false },
  hello_expected: { close: 'protocolViolation', retry: false },
  hello_timeout: { close: 'helloTimeout', retry: true },
  ticket_invalid: { close: 'unauthorized', retry: true },
  ticket_expired: { close: 'unauthorized', retry: true },
  consent_missing: { close: 'forbidden', retry: false },
  control_not_json: { close: null, retry: false },
  control_invalid: { close: null, retry: false },
  control_unexpected: { close: null, retry: false },
  frame_truncated: { close: null, retry: false },
  frame_version: { close: 'protocolViolation', retry: false },
  frame_type: { close: 'protocolViolation', retry: false },
  frame_flags: { close: null, retry: false },
  frame_geometry: { close: null, retry: false },
  frame_empty: { close: null, retry: false },
  frame_mode: { close: null, retry: false },
  frame_not_started: { close: null, retry: false },
  image_format: { close: null, retry: false },
  image_too_large: { close: null, retry: false },
  image_corrupt: { close: null, retry: false },
  observation_invalid: { close: null, retry: false },
  rate_exceeded: { close: 'tooMuch', retry: true },
  too_many_faults: { close: 'protocolViolation', retry: false },
  too_many_sessions: { close: 'tooMuch', retry: true },
  slow_reader: { close: 'tooMuch', retry: true },
  superseded: { close: 'superseded', retry: false },
  shutting_down: { close: 'goingAway', retry: true },
  internal: { close: 'internal', retry: true },
};

/** A fault of the peer's message. `code` is one of PROTOCOL_FAULTS. */
export class ProtocolError extends RelayError {
  readonly fault: ProtocolFault;

  constructor(fault: ProtocolFault, message: string, hint?: string) {
    super(fault, message, hint === undefined ? {} : { hint });
    this.fault = fault;
  }
}

/** Close code that ends the connection, or null when the message alone is refused. */
export function closeCodeOf({ fault }: ProtocolError): number | null {
  const { close } = PROTOCOL_FAULTS[fault];
  return close === null ? null : CLOSE[close];
}
