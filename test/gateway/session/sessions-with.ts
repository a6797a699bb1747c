import { randomUUID } from 'node:crypto';
import { SpentTickets } from '../../../gateway/auth/spent-tickets.ts';
import { ALONE } from '../../../gateway/session/ownership.ts';
import { Sessions, type SessionsOptions } from '../../../gateway/session/sessions.ts';
import { T0 } from './connection/driver.ts';

export const SECRET = 'a secret for tests that is long enough';

/** The sessions of a gateway that is alone, has an empty store and room for ten students, with what `changes` say. */
export function sessionsWith(changes: Partial<SessionsOptions> = {}): Sessions {
  const ignore = () => {};
  return new Sessions({
    secret: SECRET,
    ticketMaxLifeS: 900,
    spentTickets: new SpentTickets(),
    ownership: ALONE,
    rule: 'geometric',
    resumeGraceMs: 60_000,
    maxSessions: 10,
    lateMaxMs: 7 * 24 * 3_600_000,
    systemNow: () => T0,
    newSessionId: randomUUID,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    save: async () => {},
    hasConsent: async () => true,
    findTotals: async () => null,
    findBooked: async () => [],
    findCalibration: async () => null,
    ...changes,
  });
}
