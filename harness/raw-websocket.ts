import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Opcodes of RFC 6455, section 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The header of a frame, RFC 6455, section 5.2. A client's is masked; the key 0 leaves the payload as it is. */
export function frameHeader(opcode: number, payloadBytes: number, { fin = true, masked = true } = {}): Buffer {
  const mask = masked ? 0x80 : 0;
  const key = Buffer.alloc(masked ? 4 : 0);
  const first = (fin ? 0x80 : 0) | opcode;
  if (payloadBytes < 126) return Buffer.concat([Buffer.of(first, mask | payloadBytes), key]);
  const length = Buffer.alloc(payloadBytes < 65_536 ? 2 : 8);
  if (length.length === 2) length.writeUInt16BE(payloadBytes);
  else length.writeBigUInt64BE(BigInt(payloadBytes));
  return Buffer.concat([Buffer.of(first, mask | (length.length === 2 ? 126 : 127)), length, key]);
}

/** A whole frame of a client. */
export function clientFrame(opcode: number, payload: Uint8Array | string, fin = true): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([frameHeader(opcode, bytes.length, { fin }), bytes]);
}

/** `Sec-WebSocket-Accept` for a key. */
export function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + HANDSHAKE_GUID)
    .digest('base64');
}

/** Cuts a byte stream into frames. A masked payload is handed over as it is, with its key. */
export class FrameReader {
  readonly #onFrame: (opcode: number, payload: Buffer, maskKey: Buffer | null) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: (opcode: number, payload: Buffer, maskKey: Buffer | null) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      if (bytes.length < at + 2) break;
      const second = bytes.readUInt8(at + 1);
      const short = second & 0x7f;
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      const keyBytes = (second & 0x80) === 0 ? 0 : 4;
      const header = 2 + lengthBytes + keyBytes;
      if (bytes.length < at + header) break;
      const payloadBytes =
        lengthBytes === 0
          ? short
          : lengthBytes === 2
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      const start = at + header;
      if (bytes.length < start + payloadBytes) break;
      const key = keyBytes === 0 ? null : bytes.subarray(start - 4, start);
      this.#onFrame(bytes.readUInt8(at) & 0x0f, bytes.subarray(start, start + payloadBytes), key);
      at = start + payloadBytes;
    }
    this.#rest = at === 0 ? bytes : Buffer.from(bytes.subarray(at));
  }
}

export interface UpgradeOptions {
  readonly path: string;
  readonly protocol?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The text that asks a server for a WebSocket. */
export function upgradeRequest(host: string, { path, protocol, headers = {} }: UpgradeOptions): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * A WebSocket client without a library, for what no library would send. Resolves with the socket, as soon as the
 * server has answered, its status, and what came after the head.
 */
export async function openRaw(
  url: string,
  options: UpgradeOptions,
): Promise<{ readonly socket: Socket; readonly status: number; readonly rest: Buffer }> {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(upgradeRequest(host, options));
  let head: Buffer = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    const status = Number(head.toString('latin1', 9, 12));
    return { socket, status, rest: head.subarray(end + 4) };
  }
}
