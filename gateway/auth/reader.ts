import * as z from 'zod';
import { HttpFault } from '../http/faults.ts';
import { loadJose } from './jose.ts';
import { ROLES, type Role, verifyTicket } from './ticket.ts';

const AUDIENCE = 'gaze-relay-reports';
/** A school day: a ticket lasts five minutes, a teacher reads longer. */
const LIFETIME_S = 8 * 3600;

/** Who reads reports. */
export interface Reader {
  readonly userId: number;
  readonly role: Role;
}

const claimsSchema = z.object({ sub: z.coerce.number().int().min(1).max(2_147_483_647), role: z.enum(ROLES) });

/** A token that reads reports and does nothing else, for as long as LIFETIME_S. Given for a valid ticket. */
export async function mintReaderToken(
  reader: Reader,
  secret: string,
  nowMs: number,
  id: string,
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const { SignJWT } = await loadJose();
  const issuedAtS = Math.floor(nowMs / 1000);
  const token = await new SignJWT({ role: reader.role })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(String(reader.userId))
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + LIFETIME_S)
    .setJti(id)
    .sign(new TextEncoder().encode(secret));
  return { token, expiresAtMs: (issuedAtS + LIFETIME_S) * 1000 };
}

async function readerOfToken(token: string, secret: string, now: Date): Promise<Reader> {
  const { jwtVerify } = await loadJose();
  const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), {
    algorithms: ['HS256'],
    audience: AUDIENCE,
    requiredClaims: ['sub', 'exp', 'role'],
    clockTolerance: 5,
    currentDate: now,
  });
  const { sub, role } = claimsSchema.parse(payload);
  return { userId: sub, role };
}

function bearer(authorization: string | undefined): string {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw unauthorized();
  return token;
}

function unauthorized(): HttpFault {
  return new HttpFault(401, 'unauthorized', 'a valid ticket is needed: Authorization: Bearer …');
}

/** Who sent this Authorization header, by ticket or by reader token. Rejects with HttpFault 401 `unauthorized`. */
export async function readerOf(authorization: string | undefined, secret: string, nowMs: number): Promise<Reader> {
  const token = bearer(authorization);
  const now = new Date(nowMs);
  return readerOfTicket(authorization, secret, nowMs).catch(() =>
    readerOfToken(token, secret, now).catch(() => {
      throw unauthorized();
    }),
  );
}

/** Who sent this Authorization header, by ticket alone. Rejects with HttpFault 401 `unauthorized`. */
export async function readerOfTicket(
  authorization: string | undefined,
  secret: string,
  nowMs: number,
): Promise<Reader> {
  try {
    const { userId, role } = await verifyTicket(bearer(authorization), secret, new Date(nowMs));
    return { userId, role };
  } catch {
    throw unauthorized();
  }
}

/** True for those who may read about others. */
export function isStaff(reader: Reader): boolean {
  return reader.role !== 'student';
}

/** Rejects with HttpFault 403 `role_not_allowed` for students. */
export function requireStaff(reader: Reader): void {
  if (!isStaff(reader)) {
    throw new HttpFault(403, 'role_not_allowed', 'this report is for teachers; a student may read their own');
  }
}

/** Rejects with HttpFault 403 `role_not_allowed` for everybody but admins. */
export function requireAdmin(reader: Reader): void {
  if (reader.role !== 'admin') throw new HttpFault(403, 'role_not_allowed', 'this is for admins');
}

/**
 * Whose report is read: the student asked for; for a student it is their own, also when none was asked for.
 * Throws HttpFault 403 `student_not_allowed` when a student asks for another, whether or not there is one.
 */
export function studentFor(reader: Reader, asked: number | undefined): number | undefined {
  if (isStaff(reader)) return asked;
  if (asked !== undefined && asked !== reader.userId) {
    throw new HttpFault(403, 'student_not_allowed', 'a student may read their own reports alone');
  }
  return reader.userId;
}
