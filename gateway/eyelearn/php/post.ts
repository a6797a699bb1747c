import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { PhpDelta } from './delta.ts';

/**
 * What became of a post: `stored` (the endpoint says so), `refused` (it surely was not stored, so it may be
 * repeated), `uncertain` (the body went out and nothing that can be believed came back: never to be repeated).
 */
export interface PhpOutcome {
  readonly kind: 'stored' | 'refused' | 'uncertain';
  readonly detail: string;
}

export interface PhpPost extends PhpDelta {
  readonly userId: number;
  readonly moduleId: number;
  /** 0 for none. */
  readonly sectionKey: number;
}

const MAX_ANSWER_BYTES = 65_536;

/** Body as the endpoint takes it: whole seconds, all required fields, the one session type every lineage knows. */
export function postBody({ userId, moduleId, sectionKey, focusedS, unfocusedS }: PhpPost): string {
  const totalS = focusedS + unfocusedS;
  return JSON.stringify({
    user_id: userId,
    module_id: moduleId,
    ...(sectionKey > 0 ? { section_id: sectionKey } : {}),
    focused_time: focusedS,
    unfocused_time: unfocusedS,
    total_time: totalS,
    focus_percentage: totalS === 0 ? 0 : Math.round((1000 * focusedS) / totalS) / 10,
    session_type: 'viewing',
  });
}

/** Judges an answer by its `success` and by nothing else: every outcome that the endpoint handles is HTTP 200. */
export function judgeAnswer(status: number, text: string): PhpOutcome {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return { kind: 'uncertain', detail: `HTTP ${status} with a body that is not JSON` };
  }
  const { success, error } = (answer ?? {}) as { success?: unknown; error?: unknown };
  if (success === true) return { kind: 'stored', detail: `HTTP ${status}` };
  if (success === false) return { kind: 'refused', detail: String(error ?? 'success: false').slice(0, 200) };
  return { kind: 'uncertain', detail: `HTTP ${status} with JSON that does not say whether it is stored` };
}

/**
 * Posts a delta once. Never rejects and never repeats. `isLate` is asked when the connection is there: true where the body must not be
 * sent any more.
 */
export function postToPhp(
  url: string,
  post: PhpPost,
  timeoutMs: number,
  isLate: () => boolean = () => false,
): Promise<PhpOutcome> {
  const body = postBody(post);
  const isHttps = new URL(url).protocol === 'https:';
  const send = isHttps ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    // Up to the connection nothing can have been stored; after it, anything can.
    let isConnected = false;
    const failed = (detail: string) => {
      clearTimeout(timer);
      request.destroy();
      resolve({ kind: isConnected ? 'uncertain' : 'refused', detail });
    };
    const timer = setTimeout(() => failed(`no answer within ${timeoutMs} ms`), timeoutMs);
    const request: ClientRequest = send(
      url,
      {
        method: 'POST',
        // A kept connection that the server is just closing would make a post uncertain for nothing.
        agent: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), connection: 'close' },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > MAX_ANSWER_BYTES) failed('an answer without end');
          else chunks.push(chunk);
        });
        response.on('error', (error) => failed(error.message));
        response.on('end', () => {
          clearTimeout(timer);
          resolve(judgeAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
        });
      },
    );
    request.on('socket', (socket) => {
      socket.once(isHttps ? 'secureConnect' : 'connect', () => {
        if (isLate()) {
          failed('too late to be sent');
          return;
        }
        isConnected = true;
        request.end(body);
      });
    });
    request.on('error', (error) => failed(error.message));
  });
}
