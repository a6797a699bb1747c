import * as z from 'zod';
import { type Secret, signToken, verifyToken } from './tokens.ts';

const RESUME_AUDIENCE = 'gaze-relay-resume';
const RESUME_LIFETIME_S = 12 * 3600;

/** What a client brings back to resume its session, on any replica. */
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

/** Signs the claims; the token is worth nothing without a ticket of the same user. */
export function signResumeToken(claims: ResumeClaims, secret: Secret, now: Date): string {
  return signToken(
    {
      audience: RESUME_AUDIENCE,
      lifetimeS: RESUME_LIFETIME_S,
      nowMs: now.getTime(),
      claims: {
        sid: claims.sessionId,
        uid: claims.userId,
        mid: claims.moduleId,
        epoch: claims.epoch,
        start: claims.startedAtMs,
      },
    },
    secret,
  );
}

/** The claims of a token that this secret signed and that has not expired, else null. */
export async function verifyResumeToken(token: string, secret: Secret, now: Date): Promise<ResumeClaims | null> {
  try {
    const claims = await verifyToken(token, secret, {
      audience: RESUME_AUDIENCE,
      schema: claimsSchema,
      nowMs: now.getTime(),
    });
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
