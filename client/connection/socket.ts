/** The part of a socket's events that the client reads. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

export type SocketEventName = 'open' | 'message' | 'close' | 'error';

/**
 * What carries a connection: the part of a WebSocket that the client needs. The browser's own, the one of npm `ws` and
 * POSTs one after another have this shape.
 */
export interface WebSocketLike {
  binaryType: string;
  /** Bytes given to `send` that are not on the network yet. */
  readonly bufferedAmount: number;
  /** Most messages of the hot path without an acknowledgement, whatever the gateway's credit. Absent: the credit. */
  readonly window?: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: SocketEventName, listener: (event: SocketEvent) => void): void;
}
