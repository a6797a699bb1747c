import { createHmac } from 'node:crypto';
import type { JWTPayload } from 'jose';
import * as z from 'zod';
import { RelayError } from '../../shared/errors.ts';

const ALGORITHM = 'HS256';
/** Clocks of the school's server and of this one may differ by so much, either way. */
export const CLOCK_TOLERANCE_S = 30;

/** The secret that signs; or that one, and after it those of before, whose tokens are still taken while it is changed. */
export type Secret = string | readonly [current: string, ...previous: readonly string[]];

/** A user or module id as claims carry it: a positive whole number, also as decimal text. */
export const idClaim = z.union([
  z.int().min(1).max(2_147_483_647),
  z
    .string()
    .regex(/^[1-9]\d{0,9}$/)
    .transform(Number)
    .pipe(z.int().max(2_147_483_647)),
]);

export interface TokenToSign {
  /** Who the token is for: one audience for each kind of token. */
  readonly audience: string;
  readonly lifetimeS: number;
  /** UTC ms. */
  readonly nowMs: number;
  /** The token's own claims, `sub` and `jti` among them where it has them. */
  readonly claims: JWTPayload;
}

function base64Url(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/**
 * A JWT (RFC 7519) signed with HMAC-SHA-256. Not by `jose`, which signs asynchronously: an admission must not wait
 * between the choice of its session and its entry, and a signature is three lines. Checking foreign tokens is the library's.
 */
export function signToken({ audience, lifetimeS, nowMs, claims }: TokenToSign, secret: Secret): string {
  const current = typeof secret === 'string' ? secret : secret[0];
  const issuedAtS = Math.floor(nowMs / 1000);
  const payload = { ...claims, aud: audience, iat: issuedAtS, exp: issuedAtS + lifetimeS };
  const signed = `${base64Url({ alg: ALGORITHM, typ: 'JWT' })}.${base64Url(payload)}`;
  return `${signed}.${createHmac('sha256', current).update(signed).digest('base64url')}`;
}

/**
 * The claims of a token that this secret signed for this audience and that is neither expired nor to be used later (`nbf`), read by
 * `schema`. Rejects with RelayError `token_expired` or `token_invalid`.
 */
export async function verifyToken<T extends z.ZodType>(
  token: string,
  secret: Secret,
  expected: { readonly audience: string; readonly schema: T; readonly nowMs: number },
): Promise<z.output<T>> {
  // Loaded with the first token: a gateway that wakes listens first.
  const { errors, jwtVerify } = await import('jose');
  try {
    const verify = (one: string) =>
      jwtVerify(token, new TextEncoder().encode(one), {
        algorithms: [ALGORITHM],
        audience: expected.audience,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(expected.nowMs),
      });
    const [current, ...previous] = typeof secret === 'string' ? [secret] : secret;
    let verified = verify(current);
    for (const one of previous) {
      verified = verified.catch((error: unknown) => {
        if (error instanceof errors.JWSSignatureVerificationFailed) return verify(one);
        throw error;
      });
    }
    const { payload } = await verified;
    return expected.schema.parse(payload);
  } catch (error) {
    const code = error instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid';
    throw new RelayError(code, 'the token is not one that this gateway trusts now', { cause: error });
  }
}
