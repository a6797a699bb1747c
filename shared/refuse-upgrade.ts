/** What of a `net.Socket` is needed here. */
interface RawSocket {
  on(event: 'error', listener: () => void): unknown;
  once(event: 'finish', listener: () => void): unknown;
  readonly writableFinished: boolean;
  pause(): unknown;
  end(text?: string): unknown;
  destroy(): unknown;
  setTimeout?(timeoutMs: number, listener: () => void): unknown;
}

/** A peer that does not take its answer is dropped after this. */
const WRITE_TIMEOUT_MS = 5000;

/**
 * Closes the connection as soon as what was written has left, whether or not the peer closes its side. Nothing more
 * is read, so the peer cannot extend the deadline by sending.
 */
export function destroyOnceWritten(socket: RawSocket): void {
  socket.on('error', () => {});
  socket.pause();
  socket.setTimeout?.(WRITE_TIMEOUT_MS, () => socket.destroy());
  if (socket.writableFinished) socket.destroy();
  else socket.once('finish', () => socket.destroy());
}

/** Answers an HTTP upgrade request that is not served, e.g. with status `426 Upgrade Required`, and closes. */
export function refuseUpgrade(socket: RawSocket, status: string): void {
  destroyOnceWritten(socket);
  const upgrade = status.startsWith('426') ? 'Upgrade: websocket\r\n' : '';
  const connection = upgrade === '' ? 'close' : 'upgrade, close';
  socket.end(`HTTP/1.1 ${status}\r\n${upgrade}Connection: ${connection}\r\nContent-Length: 0\r\n\r\n`);
}

/** True where an `Upgrade` header asks for a WebSocket and nothing else (RFC 6455, section 4.2.1). */
export function asksForWebSocket(upgradeHeader: string | undefined): boolean {
  return upgradeHeader?.toLowerCase() === 'websocket';
}
