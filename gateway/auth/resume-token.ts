import * as z from 'zod';
import { loadJose } from './jose.ts';

const RESUME_AUDIENCE = 'gaze-relay-resume';
const RESUME_LIFETIME_S = 12 * 3600;

/** What a client brings back to go on with its session, on any replica. */
export interface ResumeClaims {
  readonly sessionId: string;
  readonly userId: number;
  readonly moduleId: number;
  readonly epoch: number;
  /** UTC ms of the session's first start. */
  readonly startedAtMs: number;
}

const claimsSchema = z.object({
  sid: z.uuid(),
  uid: z.int().min(1),
  mid: z.int().min(1),
  epoch: z.int().min(0),
  start: z.int().min(0),
});

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

/** Signs the claims; the token is worth nothing without a ticket of the same user. */
export async function signResumeToken(claims: ResumeClaims, secret: string, now: Date): Promise<string> {
  const { SignJWT } = await loadJose();
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT({
    sid: claims.sessionId,
    uid: claims.userId,
    mid: claims.moduleId,
    epoch: claims.epoch,
    start: claims.startedAtMs,
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setAudience(RESUME_AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + RESUME_LIFETIME_S)
    .sign(keyOf(secret));
}

/** The claims of a token that this secret signed and that has not expired, else null. */
export async function verifyResumeToken(token: string, secret: string, now: Date): Promise<ResumeClaims | null> {
  const { jwtVerify } = await loadJose();
  try {
    const { payload } = await jwtVerify(token, keyOf(secret), {
      algorithms: ['HS256'],
      audience: RESUME_AUDIENCE,
      currentDate: now,
    });
    const claims = claimsSchema.parse(payload);
    return {
      sessionId: claims.sid,
      userId: claims.uid,
      moduleId: claims.mid,
      epoch: claims.epoch,
      startedAtMs: claims.start,
    };
  } catch {
    return null;
  }
}
