import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { mintTicket } from '../../../gateway/auth/ticket.ts';
import { MAX_AT_ONCE, MAX_WAITING } from '../../../gateway/http/api/reader-limits.ts';
import { SECRET, startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { Peer } from '../../../harness/peer.ts';
import { answers } from '../../../shared/report/answers.ts';
import { dateAt, datesOf } from '../../../shared/report/range.ts';
import { sessionAnswerSchema } from '../../../shared/report/session.ts';
import { captureLog } from '../../support/log-capture.ts';
import { STUDENTS, schoolWindows, TEACHER } from '../../support/report-data.ts';
import { createSchool, storeWindows } from '../../support/school-database.ts';

const FIRST_DAY_MS = Date.UTC(2026, 2, 1, 16);
const WINDOWS = schoolWindows({ seed: 5, firstDayMs: FIRST_DAY_MS, days: 6, firstWeekday: 1 });
const SPAN = 'from=2026-03-02&to=2026-03-08';
const [FIRST] = WINDOWS;
if (FIRST === undefined) throw new Error('no windows');
const STUDENT = FIRST.userId;
const OTHER = WINDOWS.find(({ userId }) => userId !== STUDENT)?.userId ?? 0;
const OWN_SESSION = FIRST.sessionId;
const OTHER_SESSION = WINDOWS.find(({ userId }) => userId === OTHER)?.sessionId ?? '';

let database: MariaDb;
let dataDir: string;
let gateway: TestGateway;
const log = captureLog();

async function get(path: string, ticket: string | null, init: RequestInit = {}) {
  const headers = ticket === null ? {} : { authorization: `Bearer ${ticket}` };
  return fetch(new URL(path, gateway.url), { headers, ...init });
}

const asTeacher = () => gateway.ticket(TEACHER.id, { role: 'teacher' });
const asStudent = () => gateway.ticket(STUDENT);
/** Reads nothing before the tests of the audit: what is read again within a minute leaves no further line. */
const AUDITED_TEACHER = 9001;
const asAuditedTeacher = () => gateway.ticket(AUDITED_TEACHER, { role: 'teacher' });

async function read<T extends z.ZodType>(schema: T, path: string): Promise<z.output<T>> {
  const response = await get(path, await asTeacher());
  expect(response.status).toBe(200);
  return schema.parse(await response.json());
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

/** Reads CSV by RFC 4180, without its byte order mark. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end !== ',') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

async function csv(path: string): Promise<Record<string, string>[]> {
  const response = await get(path, await asTeacher());
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  const [header = [], ...rows] = parseCsv(new TextDecoder().decode(bytes));
  return rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])));
}

beforeAll(async () => {
  database = await startMariaDb({ timeZone: 'Asia/Manila' });
  const mysqlUrl = await createSchool(database, 'school');
  dataDir = await mkdtemp(join(tmpdir(), 'relay-api-'));
  await storeWindows({ mysqlUrl, dataDir }, WINDOWS);
  gateway = await startTestGateway({ MYSQL_URL: mysqlUrl }, { dataDir, logger: log.logger });
});

afterAll(async () => {
  await gateway?.dispose();
  await database?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Every route with ids that exist; `own` is what a student may ask of it. */
const ROUTES = [
  { path: `/api/v1/overview?${SPAN}`, own: 403 },
  { path: `/api/v1/classes?${SPAN}`, own: 403 },
  { path: `/api/v1/students?${SPAN}`, own: 403 },
  { path: `/api/v1/students/${STUDENT}?${SPAN}`, own: 200 },
  { path: `/api/v1/students/${OTHER}?${SPAN}`, own: 403 },
  { path: `/api/v1/students/999999?${SPAN}`, own: 403 },
  { path: `/api/v1/days?${SPAN}`, own: 200 },
  { path: `/api/v1/days?${SPAN}&userId=${OTHER}`, own: 403 },
  { path: `/api/v1/hours?${SPAN}&userId=${OTHER}`, own: 403 },
  { path: `/api/v1/modules?${SPAN}`, own: 200 },
  { path: `/api/v1/modules/3?${SPAN}`, own: 403 },
  { path: `/api/v1/modules/3/sections?${SPAN}`, own: 200 },
  { path: `/api/v1/modules/3/sections?${SPAN}&userId=${OTHER}`, own: 403 },
  { path: `/api/v1/modules/3/sections/32?${SPAN}`, own: 403 },
  { path: `/api/v1/modules/3/sections/32/timeline?${SPAN}`, own: 403 },
  { path: `/api/v1/sessions?${SPAN}`, own: 200 },
  { path: `/api/v1/sessions?${SPAN}&userId=${OTHER}`, own: 403 },
  { path: `/api/v1/sessions/${OWN_SESSION}`, own: 200 },
  { path: `/api/v1/sessions/${OTHER_SESSION}`, own: 404 },
  { path: '/api/v1/live', own: 403 },
  { path: '/api/v1/me', own: 200 },
];

describe('who may read what', () => {
  it.each(ROUTES)('$path: 401 without a ticket, teachers and admins, students as $own', async ({ path, own }) => {
    const none = await get(path, null);
    expect([none.status, await codeOf(none)]).toEqual([401, 'unauthorized']);
    expect((await get(path, 'not.a.ticket')).status).toBe(401);
    expect((await get(path, await gateway.ticket(1, { role: 'admin', nowMs: 0 }))).status).toBe(401);
    const known = path.includes('999999') ? 404 : 200;
    for (const role of ['teacher', 'admin'] as const) {
      expect((await get(path, await gateway.ticket(TEACHER.id, { role }))).status).toBe(known);
    }
    const student = await get(path, await asStudent());
    expect(student.status).toBe(own);
    if (own === 403) expect(await codeOf(student)).toMatch(/^(role|student)_not_allowed$/);
  });

  it('a student sees nothing but their own in lists', async () => {
    const response = await get(`/api/v1/sessions?${SPAN}`, await asStudent());
    const { rows, page } = answers.sessions.parse(await response.json());
    const own = new Set(WINDOWS.filter(({ userId }) => userId === STUDENT).map(({ sessionId }) => sessionId));
    expect(new Set(rows.map(({ sessionId }) => sessionId))).toEqual(own);
    expect(page.total).toBe(own.size);
    const modules = answers.modules.parse(await (await get(`/api/v1/modules?${SPAN}`, await asStudent())).json());
    expect(modules.rows.every(({ students }) => students === 1)).toBe(true);
    const whole = await get(`/api/v1/sessions?${SPAN}&format=csv`, await asStudent());
    expect(
      new Set(
        parseCsv(await whole.text())
          .slice(1)
          .map((row) => row[1]),
      ),
    ).toEqual(new Set([String(STUDENT)]));
  });

  it('a ticket is exchanged for a token that reads for an hour; the token is no ticket', async () => {
    const post = { method: 'POST' };
    const ticket = await asTeacher();
    const authorization = (token: string) => ({ ...post, headers: { authorization: `Bearer ${token}` } });
    const response = await get('/api/v1/reader-token', null, authorization(ticket));
    const { token, expiresAtMs } = answers.token.parse(await response.json());
    expect(expiresAtMs).toBeGreaterThan(Date.now() + 3_500_000);
    expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + 3_600_000);
    const me = answers.me.parse(await (await get('/api/v1/me', token)).json());
    expect(me).toMatchObject({ userId: TEACHER.id, role: 'teacher', name: 'Teresa Lim' });
    expect((await get('/api/v1/reader-token', null, authorization(token))).status).toBe(401);
    const peer = await Peer.open(gateway.url);
    peer.sendControl({ type: 'hello', protocol: 'gaze-relay.v1', ticket: token });
    await peer.fault('ticket_invalid');
    peer.socket.terminate();
  });

  it('a ticket is exchanged once; for a connection it is spent then, too', async () => {
    const ticket = await gateway.ticket(50, { role: 'teacher' });
    const exchange = () =>
      fetch(new URL('/api/v1/reader-token', gateway.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${ticket}` },
      });
    expect((await exchange()).status).toBe(200);
    const again = await exchange();
    expect([again.status, await again.json()]).toMatchObject([401, { error: { code: 'ticket_spent' } }]);
    const peer = await Peer.open(gateway.url);
    peer.sendControl({ type: 'hello', protocol: 'gaze-relay.v1', ticket, resume: null, client: 'test' });
    expect(await peer.closed).toBe(4401);
  });

  it.each(['teacher', 'admin'] as const)(
    "a lesson's ticket of a %s reads no reports and deletes nothing",
    async (role) => {
      const identity = { userId: 50, moduleId: 22, role };
      const ticket = mintTicket(identity, SECRET, new Date(), randomUUID());
      for (const [method, path] of [
        ['GET', '/api/v1/overview'],
        ['POST', '/api/v1/reader-token'],
        ['DELETE', '/api/v1/students/7/data'],
      ]) {
        const response = await fetch(new URL(path ?? '', gateway.url), {
          method: method ?? 'GET',
          headers: { authorization: `Bearer ${ticket}` },
        });
        expect([path, response.status, await response.json()]).toMatchObject([
          path,
          403,
          { error: { code: 'scope_missing' } },
        ]);
      }
    },
  );

  it('each access to a student is written down: who, whose, by which way', async () => {
    const before = log.entries.length;
    const startedAtMs = Date.now();
    await get(`/api/v1/students/${STUDENT}?${SPAN}`, await asAuditedTeacher());
    await get(`/api/v1/sessions/${OTHER_SESSION}`, await gateway.ticket(OTHER));
    await get(`/api/v1/students?${SPAN}&pageSize=2`, await asAuditedTeacher());
    await get(`/api/v1/overview?${SPAN}`, await asAuditedTeacher());
    await get(`/api/v1/students/${STUDENT}?${SPAN}`, await gateway.ticket(OTHER));
    const lines = log.entries.slice(before).filter(({ message }) => message === 'report accessed');
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([
      [
        'info',
        { readerId: AUDITED_TEACHER, role: 'teacher', studentIds: [STUDENT], path: '/api/v1/students/{userId}' },
      ],
      ['info', { readerId: OTHER, role: 'student', studentIds: [OTHER], path: '/api/v1/sessions/{sessionId}' }],
      [
        'info',
        {
          readerId: AUDITED_TEACHER,
          role: 'teacher',
          studentIds: [expect.any(Number), expect.any(Number)],
          path: '/api/v1/students',
        },
      ],
    ]);
    const kept = async () => {
      const connection = await mysql.createConnection(database.url('school'));
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        "SELECT actor_user_id, actor_role, subject_user_id FROM relay_audit WHERE action = 'read_report' AND at_ms >= ?",
        [startedAtMs],
      );
      await connection.end();
      return rows;
    };
    let rows = await kept();
    while (rows.length < 4) rows = await kept();
    expect(rows).toHaveLength(4);
    expect(rows.filter((row) => row.actor_role === 'student')).toEqual([
      { actor_user_id: OTHER, actor_role: 'student', subject_user_id: OTHER },
    ]);
  });
});

describe('the audit line', () => {
  it.each(['days', 'hours', 'modules', 'modules/3/sections'])(
    'of /%s names the one student that the answer is about, and no one for a school',
    async (route) => {
      const before = log.entries.length;
      await get(`/api/v1/${route}?${SPAN}&userId=${OTHER}`, await asAuditedTeacher());
      await get(`/api/v1/${route}?${SPAN}`, await gateway.ticket(OTHER));
      await get(`/api/v1/${route}?${SPAN}`, await asAuditedTeacher());
      const lines = log.entries.slice(before).filter(({ message }) => message === 'report accessed');
      expect(lines.map(({ fields }) => [fields.readerId, fields.studentIds])).toEqual([
        [AUDITED_TEACHER, [OTHER]],
        [OTHER, [OTHER]],
      ]);
    },
  );
});

describe('a reader who asks for much at once', () => {
  it('is answered a few requests at a time and refused what is too much, and can ask again afterwards', async () => {
    const ticket = await gateway.ticket(STUDENTS.find(({ id }) => id !== STUDENT && id !== OTHER)?.id ?? 0);
    const connection = await mysql.createConnection(database.url('school'));
    await connection.query('LOCK TABLES relay_hours WRITE');
    const statuses: number[] = [];
    const flood = Array.from({ length: MAX_AT_ONCE + MAX_WAITING + 6 }, async () => {
      const response = await get(`/api/v1/hours?${SPAN}`, ticket);
      statuses.push(response.status);
      if (response.status === 429) expect(await codeOf(response)).toBe('too_many_requests');
    });
    await vi.waitFor(() => expect(statuses).toHaveLength(6), { timeout: 20_000 });
    expect(new Set(statuses)).toEqual(new Set([429]));
    await connection.query('UNLOCK TABLES');
    await connection.end();
    await Promise.all(flood);
    expect(statuses.filter((status) => status === 200)).toHaveLength(MAX_AT_ONCE + MAX_WAITING);
    expect((await get('/api/v1/me', ticket)).status).toBe(200);
  });
});

describe('parameters', () => {
  it.each([
    ['/api/v1/modules/777', 'module_unknown'],
    ['/api/v1/modules/3/sections/777', 'section_unknown'],
    ['/api/v1/students/777', 'student_unknown'],
    ['/api/v1/sessions/11111111-1111-4111-8111-111111111111', 'session_unknown'],
  ])('%s is not there: %s', async (path, code) => {
    const response = await get(path, await asTeacher());
    expect([response.status, await codeOf(response)]).toEqual([404, code]);
  });

  it("without any, the range is the last four weeks of the database's calendar", async () => {
    const { utcOffsetMs } = await read(answers.me, '/api/v1/me');
    expect(utcOffsetMs).toBe(8 * 3_600_000);
    const before = dateAt(Date.now(), utcOffsetMs);
    const { range } = await read(answers.overview, '/api/v1/overview');
    // The day may have changed in between.
    expect([before, dateAt(Date.now(), utcOffsetMs)]).toContain(range.to);
    expect(datesOf(range)).toHaveLength(28);
  });
});

describe('answers', () => {
  const sum = (pick: (window: (typeof WINDOWS)[number]) => number, windows = WINDOWS) =>
    windows.reduce((total, window) => total + pick(window), 0);

  it('overview, students, modules and days add up to the same', async () => {
    const focusedMs = sum((window) => window.focusedMs);
    const { overview } = await read(answers.overview, `/api/v1/overview?${SPAN}`);
    const students = await read(answers.students, `/api/v1/students?${SPAN}&pageSize=200`);
    const modules = await read(answers.modules, `/api/v1/modules?${SPAN}`);
    const days = await read(answers.days, `/api/v1/days?${SPAN}`);
    const hours = await read(answers.hours, `/api/v1/hours?${SPAN}`);
    const classes = await read(answers.classes, `/api/v1/classes?${SPAN}`);
    expect(overview.focusedMs).toBe(focusedMs);
    for (const { rows } of [students, modules, days, hours, classes]) {
      const together = (rows as { focusedMs: number }[]).reduce((total, row) => total + row.focusedMs, 0);
      expect(together).toBe(focusedMs);
    }
    const oneClass = await read(answers.overview, `/api/v1/overview?${SPAN}&class=BSIT-1B`);
    expect(oneClass.overview.focusedMs).toBe(classes.rows.find(({ className }) => className === 'BSIT-1B')?.focusedMs);
  });

  it('a module with its sections, and a section with its time line', async () => {
    const { module } = await read(answers.module, `/api/v1/modules/3?${SPAN}`);
    expect(module.title).toBe('Computer Networks');
    const { rows } = await read(answers.sections, `/api/v1/modules/3/sections?${SPAN}`);
    expect(rows.reduce((total, row) => total + row.trackedMs, 0)).toBe(module.trackedMs);
    const { section } = await read(answers.section, `/api/v1/modules/3/sections/32?${SPAN}`);
    expect(section).toMatchObject({ title: 'Addresses and subnets', moduleTitle: 'Computer Networks' });
    const timeline = await read(answers.timeline, `/api/v1/modules/3/sections/32/timeline?${SPAN}`);
    expect(timeline.rows.reduce((total, row) => total + row.focusedMs, 0)).toBe(section.focusedMs);
    expect(timeline.rows.reduce((total, row) => total + row.distractions, 0)).toBe(section.unfocusedBouts);
  });

  it('a session has the names of what it mentions', async () => {
    const { report, names } = await read(sessionAnswerSchema, `/api/v1/sessions/${OWN_SESSION}`);
    expect(report.userId).toBe(STUDENT);
    expect(report.windows).toHaveLength(WINDOWS.filter(({ sessionId }) => sessionId === OWN_SESSION).length);
    expect(names.student).toMatch(/\w/);
    expect(Object.keys(names.sections)).toEqual(
      [...new Set(report.windows.map(({ sectionId }) => String(sectionId)))].toSorted(),
    );
  });

  it('live: who is tracked now, with name and state; gone when they leave', async () => {
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(9, { moduleId: 3 }));
    await peer.start();
    const { rows } = await read(answers.live, '/api/v1/live');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      userId: 9,
      name: 'Carla Domingo',
      className: 'BSIT-1A',
      moduleTitle: 'Computer Networks',
      phase: 'tracking',
      state: 'untracked',
      focusShare: null,
    });
    peer.socket.terminate();
    await expect.poll(async () => (await read(answers.live, '/api/v1/live')).rows).toEqual([]);
  });

  it('the database away is 503, and not what is there', async () => {
    await database.kill();
    const response = await get(`/api/v1/overview?${SPAN}`, await asTeacher());
    expect([response.status, await codeOf(response)]).toEqual([503, 'store_unreachable']);
    await database.restart();
    expect((await get(`/api/v1/overview?${SPAN}`, await asTeacher())).status).toBe(200);
  });
});

describe('CSV', () => {
  it('of students: all pages, the same numbers as JSON, and no name runs as a formula', async () => {
    const { rows } = await read(answers.students, `/api/v1/students?${SPAN}&pageSize=200`);
    const lines = await csv(`/api/v1/students?${SPAN}&pageSize=3&page=2&format=csv`);
    expect(lines).toEqual(
      rows.map((row) => ({
        user_id: String(row.userId),
        name: row.name?.startsWith('=') ? `'${row.name}` : row.name,
        class: row.className ?? '',
        last_seen_utc: new Date(row.lastSeenAtMs).toISOString(),
        sessions: String(row.sessions),
        students: '1',
        tracked_ms: String(row.trackedMs),
        focused_ms: String(row.focusedMs),
        unfocused_ms: String(row.unfocusedMs),
        unknown_ms: String(row.unknownMs),
        untracked_ms: String(row.untrackedMs),
        late_ms: String(row.lateMs),
        focus_share_percent: row.focusShare === null ? '' : String(Number((row.focusShare * 100).toFixed(2))),
        focused_bouts: String(row.focusedBouts),
        unfocused_bouts: String(row.unfocusedBouts),
        longest_focused_bout_ms: String(row.longestFocusedBoutMs),
      })),
    );
    expect(lines.some(({ name }) => name === "'=Rosa Valdez")).toBe(true);
    expect(lines.some(({ name }) => name === 'Oscar de la Peña')).toBe(true);
  });

  it('of a session: its windows to the millisecond', async () => {
    const lines = await csv(`/api/v1/sessions/${OWN_SESSION}?format=csv`);
    const stored = WINDOWS.filter(({ sessionId }) => sessionId === OWN_SESSION);
    expect(
      lines.map((line) => [line.seq, line.section_id, line.focused_ms, line.untracked_ms, line.looking_down_ms]),
    ).toEqual(
      stored.map((w) => [w.seq, w.sectionId, w.focusedMs, w.untrackedMs, w.directionMs.looking_down ?? 0].map(String)),
    );
    expect(lines[0]?.started_at_utc).toBe(new Date(stored[0]?.startedAtMs ?? 0).toISOString());
  });

  it.each([...ROUTES.filter(({ path }) => !path.endsWith('/me') && !path.includes('999999'))])(
    'of $path comes as a file',
    async ({ path }) => {
      const response = await get(`${path}${path.includes('?') ? '&' : '?'}format=csv`, await asTeacher());
      expect(response.status).toBe(200);
      expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+\.csv"$/);
      expect(response.headers.get('cache-control')).toBe('no-store');
    },
  );
});
