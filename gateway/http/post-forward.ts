import { randomBytes } from 'node:crypto';
import { describeError } from '../../shared/errors.ts';
import { STREAM_PATH } from '../../shared/protocol/version.ts';
import { fault } from './faults.ts';

/** Not to be guessed, even with billions of guesses. */
const RANDOM_BYTES = 16;
/** A POST is held for a second; a gateway that takes much longer is gone, and the client tries again. */
const FORWARD_WITHIN_MS = 4000;

/** The gateways that a POST may come to, though its connection is at one of them. */
export interface PostGateways {
  /** UUID of this one. */
  readonly id: string;
  /** Where another one is reached; null where it is not heard. Never rejects. */
  addressOf(gatewayId: string): Promise<string | null>;
}

/** A token for a new connection: it cannot be guessed and, among several gateways, which one has it. */
export function newPostToken(gateways: PostGateways | null): Uint8Array {
  const own = gateways === null ? '' : gateways.id.replaceAll('-', '');
  return Buffer.concat([randomBytes(RANDOM_BYTES), Buffer.from(own, 'hex')]);
}

/**
 * Address of the gateway that has given the token; null where that is this one, or is not heard. Addresses come from the
 * gateways themselves, never from a token.
 */
export async function addressOfToken(gateways: PostGateways, token: Uint8Array): Promise<string | null> {
  const hex = Buffer.from(token.subarray(RANDOM_BYTES)).toString('hex');
  const gatewayId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (gatewayId.length !== gateways.id.length || gatewayId === gateways.id) return null;
  return gateways.addressOf(gatewayId);
}

/** Hands a POST to the gateway that has its connection, and its answer to the client. */
export async function forwardPost(
  address: string,
  request: { header(name: string): string | undefined },
  body: Uint8Array<ArrayBuffer>,
  clientAddressHeader: string | null,
): Promise<Response> {
  const names = ['origin', 'content-type', ...(clientAddressHeader === null ? [] : [clientAddressHeader])];
  const headers = names.flatMap((name): [string, string][] => {
    const value = request.header(name);
    return value === undefined ? [] : [[name, value]];
  });
  try {
    const signal = AbortSignal.timeout(FORWARD_WITHIN_MS);
    const answer = await fetch(new URL(STREAM_PATH, address), { method: 'POST', headers, body, signal });
    const kept = ['access-control-allow-origin', 'cache-control', 'content-type', 'vary', 'x-content-type-options'];
    return new Response(await answer.arrayBuffer(), {
      status: answer.status,
      headers: kept.flatMap((name): [string, string][] => {
        const value = answer.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    });
  } catch (error) {
    const origin = request.header('origin');
    return Response.json(fault('gateway_unreachable', `the gateway of this connection: ${describeError(error)}`), {
      status: 502,
      headers: origin === undefined ? {} : { 'access-control-allow-origin': origin, vary: 'origin' },
    });
  }
}
