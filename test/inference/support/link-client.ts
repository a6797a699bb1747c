import { WebSocket } from 'ws';
import {
  decodeInferenceResponse,
  encodeInferenceRequest,
  type InferenceRequest,
  type InferenceResponse,
  LINK_PATH,
  LINK_SUBPROTOCOL,
  linkAuthorization,
} from '../../../shared/link.ts';

/** The other end of the link: sends requests, pairs answers by id. */
export interface LinkClient {
  request(request: Omit<InferenceRequest, 'requestId'>): Promise<InferenceResponse>;
  /** Sends bytes as they are, and gives the next answer to `requestId`. */
  raw(bytes: Uint8Array, requestId: number): Promise<InferenceResponse>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  close(): void;
}

export async function openLink(port: number, secret: string | null = null): Promise<LinkClient> {
  const headers = secret === null ? {} : { authorization: linkAuthorization(secret) };
  const socket = new WebSocket(`ws://127.0.0.1:${port}${LINK_PATH}`, LINK_SUBPROTOCOL, {
    perMessageDeflate: false,
    headers,
  });
  const waiting = new Map<number, (response: InferenceResponse) => void>();
  let nextId = 1;
  socket.on('message', (data) => {
    const response = decodeInferenceResponse(data as Buffer);
    waiting.get(response.requestId)?.(response);
    waiting.delete(response.requestId);
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const raw = (bytes: Uint8Array, requestId: number): Promise<InferenceResponse> =>
    new Promise((resolve) => {
      waiting.set(requestId, resolve);
      socket.send(bytes);
    });
  return {
    request: (request) => {
      const requestId = nextId++;
      return raw(encodeInferenceRequest({ ...request, requestId }), requestId);
    },
    raw,
    closed,
    socket,
    close: () => socket.close(),
  };
}
