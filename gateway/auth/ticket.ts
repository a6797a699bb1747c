import * as z from 'zod';
import { RelayError } from '../../shared/errors.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { idClaim, signToken, verifyToken } from './tokens.ts';

/** Audience that the platform's PHP puts into tickets. */
export const TICKET_AUDIENCE = 'edge-relay';
export const TICKET_LIFETIME_S = 300;

export const ROLES = ['student', 'teacher', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The user, module and role that a ticket states. */
export interface Identity {
  readonly userId: number;
  readonly moduleId: number;
  readonly role: Role;
}

const claimsSchema = z.object({ sub: idClaim, mid: idClaim, role: z.enum(ROLES) });

/**
 * Checks a ticket: HS256, audience, expiry, and that its claims name a user and a module. Rejects
 * with ProtocolError `ticket_expired` or `ticket_invalid`.
 */
export async function verifyTicket(ticket: string, secret: string, now: Date): Promise<Identity> {
  try {
    const claims = await verifyToken(ticket, secret, {
      audience: TICKET_AUDIENCE,
      schema: claimsSchema,
      nowMs: now.getTime(),
    });
    return { userId: claims.sub, moduleId: claims.mid, role: claims.role };
  } catch (error) {
    if (error instanceof RelayError && error.code === 'token_expired') {
      throw new ProtocolError('ticket_expired', 'the ticket has expired; fetch a fresh one for each connection');
    }
    throw new ProtocolError('ticket_invalid', 'the ticket is not one that this gateway trusts');
  }
}

/** Mints a ticket of TICKET_LIFETIME_S seconds. For development and the operator's tools. */
export function mintTicket(identity: Identity, secret: string, now: Date, id: string): string {
  const { userId, moduleId, role } = identity;
  return signToken(
    {
      audience: TICKET_AUDIENCE,
      lifetimeS: TICKET_LIFETIME_S,
      nowMs: now.getTime(),
      claims: { sub: String(userId), jti: id, mid: moduleId, role },
    },
    secret,
  );
}
