import * as z from 'zod';
import { type Secret, signToken, verifyToken } from './tokens.ts';

const RESUME_AUDIENCE = 'gaze-relay-resume';
const RESUME_LIFETIME_S = 12 * 3600;
/** A token that delivers late messages only (L-7). */
const LATE_AUDIENCE = 'gaze-relay-late';

/** What a client brings back to resume its session, on any replica. */
export interface ResumeClaims {
  readonly sessionId: string;
  readonly userId: number;
  readonly moduleId: number;
  readonly epoch: number;
  /** UTC ms of the session's first start. */
  readonly startedAtMs: number;
  /** True where the token is for late messages of the session only. */
  readonly lateOnly: boolean;
}

type SessionClaims = Omit<ResumeClaims, 'lateOnly'>;

const claimsSchema = z.object({
  sid: z.uuid(),
  uid: z.int().min(1),
  mid: z.int().min(1),
  epoch: z.int().min(0),
  start: z.int().min(0),
});

/** Signs the claims; the token is worth nothing without a ticket of the same user. */
export function signResumeToken(claims: SessionClaims, secret: Secret, now: Date): string {
  return sign(claims, RESUME_AUDIENCE, RESUME_LIFETIME_S, secret, now);
}

/** The same for late messages only, for as long as they may come. */
export function signLateToken(claims: SessionClaims, secret: Secret, now: Date, lifetimeMs: number): string {
  return sign(claims, LATE_AUDIENCE, Math.ceil(lifetimeMs / 1000), secret, now);
}

function sign(claims: SessionClaims, audience: string, lifetimeS: number, secret: Secret, now: Date): string {
  return signToken(
    {
      audience,
      lifetimeS,
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
  return (await verify(token, RESUME_AUDIENCE, secret, now)) ?? verify(token, LATE_AUDIENCE, secret, now);
}

async function verify(token: string, audience: string, secret: Secret, now: Date): Promise<ResumeClaims | null> {
  try {
    const claims = await verifyToken(token, secret, {
      audience,
      schema: claimsSchema,
      nowMs: now.getTime(),
    });
    return {
      sessionId: claims.sid,
      userId: claims.uid,
      moduleId: claims.mid,
      epoch: claims.epoch,
      startedAtMs: claims.start,
      lateOnly: audience === LATE_AUDIENCE,
    };
  } catch {
    return null;
  }
}
