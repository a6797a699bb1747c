import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SpentTickets } from '../../../gateway/auth/spent-tickets.ts';
import { mintTicket, verifyTicket } from '../../../gateway/auth/ticket.ts';
import { signToken } from '../../../gateway/auth/tokens.ts';

const SECRET = 'a secret for tests that is long enough';
const NOW_MS = 1_700_000_000_000;
const NOW_S = NOW_MS / 1000;
const GOOD = { aud: 'edge-relay', sub: '7', mid: 22, role: 'student', iat: NOW_S, exp: NOW_S + 300, jti: 'a' };

/** A ticket with these claims, signed as the platform's PHP does it. */
function ticketOf(changes: Readonly<Record<string, unknown>>): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ...GOOD, ...changes })}`;
  return `${unsigned}.${createHmac('sha256', SECRET).update(unsigned).digest('base64url')}`;
}

async function faultOf(ticket: string, maxLifeS?: number): Promise<string | null> {
  return verifyTicket(ticket, SECRET, new Date(NOW_MS), maxLifeS).then(
    () => null,
    (error: { code: string }) => error.code,
  );
}

describe('S-1 a ticket', () => {
  it.each([
    ['a user id as text or number', { sub: 7 }, null],
    ['a module id as text', { mid: '22' }, null],
    ['no number of its own', { jti: undefined }, null],
    ['true as user', { sub: true }, 'ticket_invalid'],
    ['a list as user', { sub: ['7'] }, 'ticket_invalid'],
    ['white space around the user', { sub: ' 7' }, 'ticket_invalid'],
    ['a hexadecimal module', { mid: '0x7' }, 'ticket_invalid'],
    ['a module with an exponent', { mid: '1e2' }, 'ticket_invalid'],
    ['a module beyond the column', { mid: '4294967296' }, 'ticket_invalid'],
    ['no user', { sub: undefined }, 'ticket_invalid'],
    ['ten years of life', { exp: NOW_S + 315_360_000 }, 'ticket_invalid'],
    ['a life of just over the limit and the tolerance', { exp: NOW_S + 931 }, 'ticket_invalid'],
    ['the longest life', { exp: NOW_S + 900 }, null],
    ['an end 29 s ago', { exp: NOW_S - 29 }, null],
    ['an end 31 s ago', { exp: NOW_S - 31 }, 'ticket_expired'],
    ['a beginning in 29 s', { nbf: NOW_S + 29, iat: NOW_S + 29 }, null],
    ['a beginning in 31 s', { nbf: NOW_S + 31 }, 'ticket_invalid'],
    ['a date of issue in 31 s', { iat: NOW_S + 31 }, 'ticket_invalid'],
    ['a number that is no text', { jti: 5 }, 'ticket_invalid'],
  ])('with %s', async (_what, changes, fault) => {
    expect(await faultOf(ticketOf(changes))).toBe(fault);
  });

  it('lasts as long as the operator allows', async () => {
    expect(await faultOf(ticketOf({ exp: NOW_S + 300 }), 120)).toBe('ticket_invalid');
    expect(await faultOf(ticketOf({ exp: NOW_S + 3600 }), 3600)).toBeNull();
  });

  it('of the secret before is taken while the secret is changed; new ones are signed with the new one', async () => {
    const next = 'another secret that is long enough, too';
    const identity = { userId: 7, moduleId: 22, role: 'student' } as const;
    const now = new Date(NOW_MS);
    expect(await verifyTicket(mintTicket(identity, SECRET, now, 'a'), [next, SECRET], now)).toMatchObject(identity);
    expect(await verifyTicket(mintTicket(identity, [next, SECRET], now, 'b'), next, now)).toMatchObject(identity);
    const foreign = signToken({ audience: 'edge-relay', lifetimeS: 300, nowMs: NOW_MS, claims: {} }, 'f'.repeat(32));
    await expect(verifyTicket(foreign, [next, SECRET], now)).rejects.toMatchObject({ code: 'ticket_invalid' });
  });
});

describe('spent tickets', () => {
  it('a ticket is spent once, until it has expired', () => {
    const spent = new SpentTickets();
    const use = { id: 'a', issuedAtS: 0, expiresAtMs: NOW_MS + 1000 };
    expect([spent.spend(use, NOW_MS), spent.spend(use, NOW_MS + 999)]).toEqual([true, false]);
    expect(spent.spend({ ...use, id: 'b' }, NOW_MS)).toBe(true);
  });

  it('two tickets without a number are two', async () => {
    const [one, other] = await Promise.all(
      [{ jti: undefined }, { jti: undefined, mid: 23 }].map((changes) =>
        verifyTicket(ticketOf(changes), SECRET, new Date(NOW_MS)),
      ),
    );
    expect(one?.use.id).not.toBe(other?.use.id);
  });
});
