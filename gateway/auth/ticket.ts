import { createHash } from 'node:crypto';
import * as z from 'zod';
import { RelayError } from '../../shared/errors.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { type Teaching, teachingClaims, teachingOf, teachingShape } from './teaching.ts';
import { CLOCK_TOLERANCE_S, idClaim, type Secret, signToken, verifyToken } from './tokens.ts';

/** Audience that the platform's PHP puts into tickets. */
export const TICKET_AUDIENCE = 'edge-relay';
export const TICKET_LIFETIME_S = 300;
/** Of tickets that others mint, unless the operator allows more or less. */
export const DEFAULT_TICKET_MAX_LIFE_S = 900;
/** Scope of a ticket that lets staff read and delete; a lesson's ticket has none. */
export const REPORTS_SCOPE = 'reports';

export const ROLES = ['student', 'teacher', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The user, module and role that a ticket states. */
export interface Identity {
  readonly userId: number;
  readonly moduleId: number;
  readonly role: Role;
  /** REPORTS_SCOPE, or nothing. */
  readonly scope?: typeof REPORTS_SCOPE | null;
  /** What a teacher teaches, where the ticket says so. */
  readonly teaching?: Teaching | undefined;
}

/** What tells one ticket from another, and how long that matters. */
export interface TicketUse {
  readonly id: string;
  /** UTC s at which it was issued; the beginning of time where it does not say. */
  readonly issuedAtS: number;
  /** UTC ms from which on the ticket is refused anyway. */
  readonly expiresAtMs: number;
}

export interface Ticket extends Identity {
  readonly scope: typeof REPORTS_SCOPE | null;
  readonly use: TicketUse;
}

const claimsSchema = z.object({
  sub: idClaim,
  mid: idClaim,
  role: z.enum(ROLES),
  exp: z.number(),
  iat: z.number().optional(),
  jti: z.string().min(1).max(200).optional(),
  scope: z.string().max(200).optional(),
  ...teachingShape,
});

/**
 * Checks a ticket: HS256, audience, expiry (at most `maxLifeS` from now), and that its claims name a user and a module.
 * Rejects with ProtocolError `ticket_expired` or `ticket_invalid`.
 */
export async function verifyTicket(
  ticket: string,
  secret: Secret,
  now: Date,
  maxLifeS: number = DEFAULT_TICKET_MAX_LIFE_S,
): Promise<Ticket> {
  try {
    const claims = await verifyToken(ticket, secret, {
      audience: TICKET_AUDIENCE,
      schema: claimsSchema,
      nowMs: now.getTime(),
    });
    const { sub: userId, mid: moduleId, role, exp, iat = 0, scope } = claims;
    const untilS = exp + CLOCK_TOLERANCE_S;
    if (exp > now.getTime() / 1000 + maxLifeS + CLOCK_TOLERANCE_S) {
      throw new ProtocolError('ticket_invalid', `the ticket lasts too long; at most ${maxLifeS} s are taken`);
    }
    if (iat > now.getTime() / 1000 + CLOCK_TOLERANCE_S) {
      throw new ProtocolError(
        'ticket_invalid',
        'the ticket is of the future: the clocks of platform and gateway differ',
      );
    }
    // A platform that numbers none still has no two tickets that are alike.
    const id = claims.jti ?? createHash('sha256').update(ticket).digest('base64url');
    const use = { id, issuedAtS: claims.iat ?? Number.NEGATIVE_INFINITY, expiresAtMs: untilS * 1000 };
    const teaching = teachingOf(claims);
    return { userId, moduleId, role, scope: scope === REPORTS_SCOPE ? REPORTS_SCOPE : null, teaching, use };
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    if (error instanceof RelayError && error.code === 'token_expired') {
      throw new ProtocolError('ticket_expired', 'the ticket has expired; fetch a fresh one for each connection');
    }
    throw new ProtocolError('ticket_invalid', 'the ticket is not one that this gateway trusts');
  }
}

/** Mints a ticket of TICKET_LIFETIME_S seconds. For development and the operator's tools. */
export function mintTicket(identity: Identity, secret: Secret, now: Date, id: string): string {
  const { userId, moduleId, role, scope, teaching } = identity;
  return signToken(
    {
      audience: TICKET_AUDIENCE,
      lifetimeS: TICKET_LIFETIME_S,
      nowMs: now.getTime(),
      claims: {
        sub: String(userId),
        jti: id,
        mid: moduleId,
        role,
        ...(scope == null ? {} : { scope }),
        ...teachingClaims(teaching),
      },
    },
    secret,
  );
}
