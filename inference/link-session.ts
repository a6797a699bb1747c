import type { WebSocket } from 'ws';
import { describeError } from '../shared/errors.ts';
import {
  decodeInferenceRequest,
  encodeInferenceResponse,
  type InferenceRequest,
  type InferenceResponse,
  type InferenceStatus,
  peekRequestId,
} from '../shared/link.ts';
import type { PoolAnswer, WorkerPool } from './pool/pool.ts';

/** Close codes of RFC 6455, section 7.4.1. */
export const CLOSE = { goingAway: 1001, protocolError: 1002, unsupportedData: 1003 } as const;

/** A peer with this much unread is not reading. */
const MAX_UNREAD_BYTES = 1024 * 1024;

export interface LinkSessionOptions {
  readonly pool: WorkerPool;
  /** True while the service ends: what arrives now is sent elsewhere. */
  readonly isDraining: () => boolean;
  /** Told of requests that failed for a reason of ours, not of the picture. */
  readonly onFailure: (reason: string) => void;
  /** Told of every request that was read, with its time from receipt to answer. */
  readonly onAnswered: (status: InferenceStatus, serverMs: number) => void;
}

function responseOf(requestId: number, serverMs: number, answer: PoolAnswer): InferenceResponse {
  if (answer.status === 'ok') return { requestId, serverMs, status: 'ok', observation: answer.observation };
  const retryAfterMs = answer.status === 'busy' ? answer.retryAfterMs : 0;
  return { requestId, serverMs, status: answer.status, retryAfterMs };
}

/**
 * Serves one link: every binary message is a request, answered in whatever order they finish. A
 * malformed request is answered `badRequest` if it has an id; anything else ends the link.
 */
export function serveLink(socket: WebSocket, options: LinkSessionOptions): void {
  const send = (response: InferenceResponse): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) {
      socket.terminate();
      return;
    }
    socket.send(encodeInferenceResponse(response));
  };

  const serve = async (message: Buffer): Promise<void> => {
    const receivedAtMs = performance.now();
    let request: InferenceRequest;
    try {
      request = decodeInferenceRequest(message);
    } catch (error) {
      const requestId = peekRequestId(message);
      if (requestId === null) socket.close(CLOSE.protocolError, describeError(error).slice(0, 100));
      else send({ requestId, serverMs: 0, status: 'badRequest', retryAfterMs: 0 });
      return;
    }
    const { requestId, budgetMs, image: received, ...seen } = request;
    // A worker is given its own bytes: the message may share its buffer with others.
    const image = new Uint8Array(received);
    const answer = options.isDraining()
      ? ({ status: 'busy', retryAfterMs: 0 } as const)
      : await options.pool.submit({ ...seen, image }, budgetMs, socket);
    if (answer.status === 'engineFailed') options.onFailure(answer.reason);
    const serverMs = performance.now() - receivedAtMs;
    options.onAnswered(answer.status, serverMs);
    send(responseOf(requestId, serverMs, answer));
  };

  socket.on('message', (data, isBinary) => {
    if (isBinary && Buffer.isBuffer(data)) void serve(data);
    else socket.close(CLOSE.unsupportedData, 'requests are binary messages');
  });
  // The socket closes itself after an error; an error without a listener would end the process.
  socket.on('error', () => {});
}
