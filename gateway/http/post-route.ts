import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { RelayError } from '../../shared/errors.ts';
import { decodePost, POST_EXTRA_BYTES, type Post } from '../../shared/protocol/post.ts';
import { STREAM_PATH } from '../../shared/protocol/version.ts';
import { fault, HttpFault } from './faults.ts';
import { addressOfToken, forwardPost, newPostToken, type PostGateways } from './post-forward.ts';
import { PostTransport } from './post-transport.ts';
import type { StreamGuard } from './stream-guard.ts';
import type { StreamRouteDependencies } from './stream-route.ts';

export interface PostRouteDependencies extends StreamRouteDependencies {
  readonly maxFrameBytes: number;
  /** The gateways that a POST may belong to instead; null: this one stands alone. */
  readonly gateways: PostGateways | null;
}

/** Where students' POSTs come in: the same stream for those whose network carries no WebSocket (PROTOCOL.md, H-1). */
export function mountPosts(app: Hono, deps: PostRouteDependencies, guard: StreamGuard): void {
  const { gateways } = deps;
  const maxBytes = deps.maxFrameBytes + POST_EXTRA_BYTES;
  const open = new Map<string, PostTransport>();

  const openTransport = (enter: (drop: () => void) => () => void): PostTransport => {
    const token = newPostToken(gateways);
    const key = keyOf(token);
    const transport: PostTransport = new PostTransport({
      token,
      now: () => performance.now(),
      onClosed: () => deps.closeStream(stream),
      onForgotten: () => {
        open.delete(key);
        identified();
      },
    });
    const identified = enter(() => transport.terminate());
    open.set(key, transport);
    const stream = deps.openStream(transport, identified);
    transport.attach(stream);
    return transport;
  };

  const route = new Hono<{ Bindings: HttpBindings }>();
  route.post(STREAM_PATH, async (context) => {
    context.header('vary', 'origin');
    const refusal = guard.refusal(context);
    if (refusal !== null) return refusal;
    const origin = context.req.header('origin');
    if (origin !== undefined) context.header('access-control-allow-origin', origin);
    // A browser sends another type only after a preflight, which is not answered.
    if (!/^text\/plain\b/i.test(context.req.header('content-type') ?? '')) {
      return context.json(fault('content_type', 'the body is sent as text/plain'), 415);
    }
    const { incoming } = context.env;
    // Whose it is stands in the body: until it is read, it counts as one without a ticket.
    const leave = guard.enter(context, () => incoming.destroy());
    let post: Post;
    let body: Uint8Array<ArrayBuffer>;
    try {
      body = await readBody(incoming, maxBytes);
      post = decodePost(body);
    } catch (error) {
      // The rest of the body stays unread: nothing else can come on this connection.
      context.header('connection', 'close');
      if (error instanceof HttpFault) return context.json(fault(error.code, error.message), error.status);
      if (!(error instanceof RelayError)) throw error;
      return context.json(fault(error.code, error.message), 400);
    } finally {
      leave();
    }
    const transport =
      post.token.byteLength === 0
        ? openTransport((drop) => guard.enter(context, drop))
        : (open.get(keyOf(post.token)) ?? null);
    if (transport === null) {
      const address = gateways === null ? null : await addressOfToken(gateways, post.token);
      if (address !== null) return forwardPost(address, context.req, body, deps.clientAddressHeader);
      return context.json(fault('connection_unknown', 'this connection has ended; open another one'), 404);
    }
    try {
      return context.body(await transport.receive(post), 200, {
        'content-type': 'text/plain',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error;
      return context.json(fault(error.code, error.message), error.status);
    }
  });
  app.route('/', route);
}

function keyOf(token: Uint8Array): string {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('base64');
}

/** Rejects with HttpFault `body_too_large`, or `body_broken` where it ends too early. */
async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new HttpFault(413, 'body_too_large', `a body has at most ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HttpFault) throw error;
    throw new HttpFault(400, 'body_broken', 'the body ended too early');
  }
  return Buffer.concat(chunks);
}
