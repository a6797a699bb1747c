import { parseServerControl, type ServerControl } from '../shared/protocol/control.ts';
import { type ClientMessage, encodeClientMessage } from '../shared/protocol/frames.ts';
import {
  closeCodeOf,
  decodePost,
  encodePost,
  NO_TOKEN,
  nextPostNumber,
  type PostPart,
} from '../shared/protocol/post.ts';
import { decodeUpdate, type Update } from '../shared/protocol/update.ts';
import { STREAM_PATH, SUBPROTOCOL } from '../shared/protocol/version.ts';

/** What an answer brought. */
export interface PostAnswer {
  readonly controls: readonly ServerControl[];
  readonly updates: readonly Update[];
  /** Code of the close; null while the connection is open. */
  readonly closed: number | null;
}

/** A POST to a gateway's stream, as a test wants it. */
export function postBody(
  url: string,
  body: Uint8Array<ArrayBuffer> | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(new URL(STREAM_PATH, url), {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body,
  });
}

/** The `code` of a refusal. */
export async function refusalOf(response: Response): Promise<{ readonly status: number; readonly code: string }> {
  const body = (await response.json()) as { error?: { code?: string } };
  return { status: response.status, code: body.error?.code ?? 'none' };
}

export function textPart(message: object): PostPart {
  return { kind: 'text', bytes: new TextEncoder().encode(JSON.stringify(message)) };
}

export function binaryPart(message: ClientMessage): PostPart {
  return { kind: 'binary', bytes: encodeClientMessage(message) };
}

/** A bare client over POSTs that speaks the protocol only where a test tells it to. */
export class PostPeer {
  /** Where the next POST goes. */
  url: string;
  token: Uint8Array = NO_TOKEN;
  number = 0;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.url = url;
    this.#headers = headers;
  }

  /** The next POST, as it is sent. */
  body(parts: readonly PostPart[], number = this.number): Uint8Array<ArrayBuffer> {
    return encodePost({ token: this.token, number, parts });
  }

  /** Sends the next POST. Rejects with an Error that has the status where the gateway refuses it. */
  async post(...parts: readonly PostPart[]): Promise<PostAnswer> {
    const response = await postBody(this.url, this.body(parts), this.#headers);
    if (response.status !== 200) throw new Error(`POST ${this.number}: ${response.status} ${await response.text()}`);
    const answer = decodePost(new Uint8Array(await response.arrayBuffer()));
    if (answer.token.byteLength > 0) this.token = answer.token.slice();
    this.number = nextPostNumber(this.number);
    return readAnswer(answer.parts);
  }

  async hello(ticket: string, resume: string | null = null): Promise<Extract<ServerControl, { type: 'welcome' }>> {
    const hello = { type: 'hello', protocol: SUBPROTOCOL, ticket, resume, client: 'test', device: null };
    let answer = await this.post(textPart(hello));
    for (;;) {
      const welcome = answer.controls.find((message) => message.type === 'welcome');
      if (welcome?.type === 'welcome') return welcome;
      if (answer.closed !== null) throw new Error(`closed with ${answer.closed}: ${JSON.stringify(answer.controls)}`);
      answer = await this.post();
    }
  }
}

export function readAnswer(parts: readonly PostPart[]): PostAnswer {
  const of = (kind: PostPart['kind']) => parts.filter((part) => part.kind === kind);
  const close = of('close')[0];
  return {
    controls: of('text').map(({ bytes }) => parseServerControl(new TextDecoder().decode(bytes))),
    updates: of('binary').map(({ bytes }) => decodeUpdate(bytes)),
    closed: close === undefined ? null : closeCodeOf(close),
  };
}
