import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { verifyTicket } from '../../../gateway/auth/ticket.ts';
import { mountDevelopment } from '../../../gateway/http/development.ts';

const SECRET = 'a secret for tests that is long enough';
const NOW_MS = Date.UTC(2026, 2, 2);

function app(development: boolean): Hono {
  const hono = new Hono();
  mountDevelopment(hono, {
    origins: { development, allowedOrigins: [] },
    secret: SECRET,
    now: () => NOW_MS,
    newId: () => 'an-id',
  });
  return hono;
}

describe('/dev/ticket', () => {
  it.each(['student', 'teacher', 'admin'] as const)(
    'gives a ticket for a %s in development, of everything',
    async (role) => {
      const response = await app(true).request(`/dev/ticket?userId=5&moduleId=3&role=${role}`);
      const { ticket } = (await response.json()) as { ticket: string };
      expect(await verifyTicket(ticket, SECRET, new Date(NOW_MS))).toMatchObject({
        userId: 5,
        moduleId: 3,
        role,
        scope: 'reports',
        teaching: 'all',
      });
    },
  );

  it('is a student by default and no other role than there is', async () => {
    const { ticket } = (await (await app(true).request('/dev/ticket')).json()) as { ticket: string };
    expect((await verifyTicket(ticket, SECRET, new Date(NOW_MS))).role).toBe('student');
    expect((await app(true).request('/dev/ticket?role=root')).status).toBe(400);
  });

  it('is not there once a secret is configured', async () => {
    expect((await app(false).request('/dev/ticket?role=teacher')).status).toBe(404);
  });
});
