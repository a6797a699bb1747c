/** How a stream reaches its student: a WebSocket, or POSTs one after another. */
export interface Transport {
  readonly kind: 'websocket' | 'post';
  readonly isOpen: boolean;
  /** Bytes given to `send` that the peer has not taken yet. */
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
  /** Ends it in order, with a close code of the protocol. */
  close(code: number, reason: string): void;
  /** Called every 20 s: ends a peer that has shown no sign of life for two of these times (C-5, H-6). */
  checkAlive(): void;
}

/** Checks in a row without a sign of life after which the peer is gone. */
export const MAX_MISSED_CHECKS = 2;
