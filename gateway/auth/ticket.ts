import * as z from 'zod';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { loadJose } from './jose.ts';

/** Audience that EyeLearn's PHP puts into tickets. */
export const TICKET_AUDIENCE = 'edge-relay';
export const TICKET_LIFETIME_S = 300;

export const ROLES = ['student', 'teacher', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who a ticket says is there. */
export interface Identity {
  readonly userId: number;
  readonly moduleId: number;
  readonly role: Role;
}

const positiveId = z.coerce.number().int().min(1).max(2_147_483_647);
const claimsSchema = z.object({ sub: positiveId, mid: positiveId, role: z.enum(ROLES) });

function keyOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

/**
 * Checks a ticket: HS256, audience, expiry, and that its claims name a user and a module. Rejects
 * with ProtocolError `ticket_expired` or `ticket_invalid`.
 */
export async function verifyTicket(ticket: string, secret: string, now: Date): Promise<Identity> {
  const { errors, jwtVerify } = await loadJose();
  try {
    const { payload } = await jwtVerify(ticket, keyOf(secret), {
      algorithms: ['HS256'],
      audience: TICKET_AUDIENCE,
      requiredClaims: ['sub', 'exp', 'mid', 'role'],
      clockTolerance: 5,
      currentDate: now,
    });
    const claims = claimsSchema.parse(payload);
    return { userId: claims.sub, moduleId: claims.mid, role: claims.role };
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new ProtocolError('ticket_expired', 'the ticket has expired; fetch a fresh one for each connection');
    }
    throw new ProtocolError('ticket_invalid', 'the ticket is not one that this gateway trusts');
  }
}

/** Mints a ticket of TICKET_LIFETIME_S seconds. For development and the operator's tools. */
export async function mintTicket(identity: Identity, secret: string, now: Date, id: string): Promise<string> {
  const { SignJWT } = await loadJose();
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT({ role: identity.role, mid: identity.moduleId })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(String(identity.userId))
    .setAudience(TICKET_AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + TICKET_LIFETIME_S)
    .setJti(id)
    .sign(keyOf(secret));
}
