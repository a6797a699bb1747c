import * as z from 'zod';
import { RelayError } from '../../shared/errors.ts';
import type { Reach } from './reach.ts';
import type { ReaderRevocations } from './revoked-readers.ts';
import { type Teaching, teachingClaims, teachingOf, teachingShape } from './teaching.ts';
import { REPORTS_SCOPE, ROLES, type Role, type TicketUse, verifyTicket } from './ticket.ts';
import { idClaim, type Secret, signToken, verifyToken } from './tokens.ts';

const AUDIENCE = 'gaze-relay-reports';
/** A page asks for another with a fresh ticket, which the platform gives for as long as it wants this reader to read. */
export const READER_TOKEN_LIFETIME_S = 3600;

/** The person who reads reports. */
export interface Reader {
  readonly userId: number;
  readonly role: Role;
  readonly teaching?: Teaching | undefined;
  /** What the ticket is for; a reader token is for reports. */
  readonly scope: typeof REPORTS_SCOPE | null;
  /** The ticket that was shown; null for a reader token. */
  readonly ticket: TicketUse | null;
}

/** What tickets and reader tokens are checked with. */
export interface ReaderCheck {
  readonly secret: Secret;
  readonly ticketMaxLifeS: number;
  readonly revoked: ReaderRevocations;
}

const claimsSchema = z.object({ sub: idClaim, role: z.enum(ROLES), iat: z.int(), ...teachingShape });

/** A token that reads reports and does nothing else, for as long as READER_TOKEN_LIFETIME_S. Given for a valid ticket. */
export function mintReaderToken(
  reader: Pick<Reader, 'userId' | 'role' | 'teaching'>,
  secret: Secret,
  nowMs: number,
  id: string,
): { readonly token: string; readonly expiresAtMs: number } {
  const claims = { sub: String(reader.userId), jti: id, role: reader.role, ...teachingClaims(reader.teaching) };
  const lifetimeS = READER_TOKEN_LIFETIME_S;
  const token = signToken({ audience: AUDIENCE, lifetimeS, nowMs, claims }, secret);
  return { token, expiresAtMs: (Math.floor(nowMs / 1000) + lifetimeS) * 1000 };
}

async function readerOfToken(token: string, { secret, revoked }: ReaderCheck, nowMs: number): Promise<Reader> {
  const claims = await verifyToken(token, secret, { audience: AUDIENCE, schema: claimsSchema, nowMs });
  if (await revoked.isRevoked(claims.sub, claims.iat)) throw unauthorized();
  const { sub: userId, role } = claims;
  return { userId, role, teaching: teachingOf(claims), scope: REPORTS_SCOPE, ticket: null };
}

function bearer(authorization: string | undefined): string {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw unauthorized();
  return token;
}

function unauthorized(): RelayError {
  return new RelayError('unauthorized', 'a valid ticket is needed: Authorization: Bearer …');
}

/** The sender of this Authorization header, by ticket or by reader token. Rejects with RelayError `unauthorized`. */
export async function readerOf(authorization: string | undefined, check: ReaderCheck, nowMs: number): Promise<Reader> {
  const token = bearer(authorization);
  return readerOfTicket(authorization, check, nowMs).catch(() =>
    readerOfToken(token, check, nowMs).catch(() => {
      throw unauthorized();
    }),
  );
}

/** The sender of this Authorization header, by ticket alone. Rejects with RelayError `unauthorized`. */
export async function readerOfTicket(
  authorization: string | undefined,
  { secret, ticketMaxLifeS, revoked }: ReaderCheck,
  nowMs: number,
): Promise<Reader> {
  try {
    const ticket = bearer(authorization);
    const { userId, role, scope, teaching, use } = await verifyTicket(ticket, secret, new Date(nowMs), ticketMaxLifeS);
    if (await revoked.isRevoked(userId, use.issuedAtS)) throw unauthorized();
    return { userId, role, scope, teaching, ticket: use };
  } catch {
    throw unauthorized();
  }
}

/** Throws RelayError `scope_missing` for staff with a lesson's ticket: that one passes through the lesson page's scripts. */
export function requireScope(reader: Reader): void {
  if (!isStaff(reader) || reader.scope === REPORTS_SCOPE) return;
  throw new RelayError('scope_missing', "this ticket is for a lesson; open the reports by the platform's own link");
}

/** True for those who may read about others. */
export function isStaff(reader: Reader): boolean {
  return reader.role !== 'student';
}

/** Throws RelayError `role_not_allowed` for students. */
export function requireStaff(reader: Reader): void {
  if (!isStaff(reader)) {
    throw new RelayError('role_not_allowed', 'this report is for teachers; a student may read their own');
  }
}

/** Throws RelayError `role_not_allowed` for all but admins. */
export function requireAdmin(reader: Reader): void {
  if (reader.role !== 'admin') throw new RelayError('role_not_allowed', 'this is for admins');
}

/**
 * Whose data this reader may see. `groups` says what groups are for a teacher whose ticket names neither classes nor modules.
 */
export function reachOfReader(reader: Reader, groups: Omit<Reach & { readonly kind: 'groups' }, 'kind'>): Reach {
  const { userId, role, teaching } = reader;
  if (role === 'student') return { kind: 'student', userId };
  if (role === 'admin' || teaching === 'all') return { kind: 'school' };
  return teaching === undefined ? { kind: 'groups', ...groups } : { kind: 'named', ...teaching };
}

/**
 * Whose report is read: the student asked for; for a student it is their own, also when none was asked for.
 * Throws RelayError `student_not_allowed` when a student asks for another, whether or not there is one.
 */
export function studentFor(reader: Reader, asked: number | undefined): number | undefined {
  if (isStaff(reader)) return asked;
  if (asked !== undefined && asked !== reader.userId) {
    throw new RelayError('student_not_allowed', 'a student may read their own reports alone');
  }
  return reader.userId;
}
