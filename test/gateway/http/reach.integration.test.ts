import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Teaching } from '../../../gateway/auth/teaching.ts';
import type { Role } from '../../../gateway/auth/ticket.ts';
import { API_ROUTES } from '../../../gateway/http/api/mount.ts';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { Peer } from '../../../harness/peer.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { answers } from '../../../shared/report/answers.ts';
import { addDays, dateAt, datesOf } from '../../../shared/report/range.ts';
import { MODULES, STUDENTS, schoolWindows, TEACHER } from '../../support/report-data.ts';
import { createSchool, storeWindows } from '../../support/school-database.ts';
import { CLASS, FILTERS, SPAN } from './reach-filters.ts';

const MANILA_MS = 8 * 3_600_000;
const MIN_GROUP = 3;
const FIRST_DAY_MS = Date.UTC(2026, 2, 1, 16);
const SCHOOL = schoolWindows({ seed: 5, firstDayMs: FIRST_DAY_MS, days: 6, firstWeekday: 1 });
const FROM = '2026-03-02';
const TO = '2026-03-08';
const MODULE = 3;

/** Of the present day: a group that still grows. */
const GROWING = STUDENTS.slice(0, 6).flatMap(({ id }, index) => {
  const [first] = SCHOOL;
  if (first === undefined) throw new Error('no windows');
  const startedAtMs = Date.now() - 60_000;
  const sessionId = `0b0a3c52-6f1c-4c9a-9a3e-3f0a5d1c7e${20 + index}`;
  const moved = {
    sessionId,
    userId: id,
    startedAtMs,
    sessionStartedAtMs: startedAtMs,
    endedAtMs: startedAtMs + 30_000,
  };
  return [{ ...first, ...moved, bouts: [] }];
});
const WINDOWS: readonly MetricsWindow[] = [...SCHOOL, ...GROWING];

const classOf = new Map(STUDENTS.map(({ id, className }) => [id, className]));
const nameOf = new Map(STUDENTS.map(({ id, firstName, lastName }) => [id, `${firstName} ${lastName}`]));
const dayOf = (window: MetricsWindow) => dateAt(window.startedAtMs, MANILA_MS);
const sum = (windows: readonly MetricsWindow[]) => windows.reduce((total, { focusedMs }) => total + focusedMs, 0);

/** Groups of MIN_GROUP students or more: who was in a module on a day that is over. */
function groupsOf(windows: readonly MetricsWindow[]): ReadonlyMap<string, readonly MetricsWindow[]> {
  const found = new Map<string, MetricsWindow[]>();
  for (const window of windows) {
    const key = `${dayOf(window)} ${window.moduleId}`;
    found.set(key, [...(found.get(key) ?? []), window]);
  }
  const today = dateAt(Date.now(), MANILA_MS);
  return new Map(
    [...found].filter(
      ([key, group]) => new Set(group.map(({ userId }) => userId)).size >= MIN_GROUP && key.slice(0, 10) < today,
    ),
  );
}
const GROUPS = groupsOf(WINDOWS);

interface Person {
  readonly name: string;
  readonly userId: number;
  readonly role: Role;
  readonly teaching?: Teaching | null;
  /** What this reader may see. */
  readonly sees: (window: MetricsWindow) => boolean;
}

const ME = STUDENTS[7]?.id ?? 0;
const READERS: readonly Person[] = [
  { name: 'a student', userId: ME, role: 'student', sees: ({ userId }) => userId === ME },
  {
    name: 'a student whose ticket says more',
    userId: ME,
    role: 'student',
    teaching: 'all',
    sees: ({ userId }) => userId === ME,
  },
  {
    name: 'the teacher of a class',
    userId: TEACHER.id,
    role: 'teacher',
    teaching: { classes: [CLASS], moduleIds: [] },
    sees: ({ userId }) => classOf.get(userId) === CLASS,
  },
  {
    name: 'the teacher of a module',
    userId: TEACHER.id,
    role: 'teacher',
    teaching: { classes: [], moduleIds: [MODULE] },
    sees: ({ moduleId }) => moduleId === MODULE,
  },
  {
    name: 'the teacher of a class and a module',
    userId: TEACHER.id,
    role: 'teacher',
    teaching: { classes: ['BSCS-2A'], moduleIds: [4] },
    sees: ({ userId, moduleId }) => classOf.get(userId) === 'BSCS-2A' || moduleId === 4,
  },
  {
    name: 'the teacher of a class without students',
    userId: TEACHER.id,
    role: 'teacher',
    teaching: { classes: ['X'], moduleIds: [] },
    sees: () => false,
  },
  { name: 'a teacher of nothing named', userId: TEACHER.id, role: 'teacher', teaching: null, sees: () => false },
  { name: 'an admin', userId: 1, role: 'admin', sees: () => true },
];

let database: MariaDb;
let dataDir: string;
let gateway: TestGateway;
let live: Peer;

async function get(path: string, token: string, init: RequestInit = {}) {
  return fetch(new URL(path, gateway.url), { headers: { authorization: `Bearer ${token}` }, ...init });
}

const ticketOf = ({ userId, role, teaching }: Person) =>
  gateway.ticket(userId, { role, ...(teaching === undefined ? {} : { teaching }) });

async function tokenOf(reader: Person): Promise<string> {
  const response = await get('/api/v1/reader-token', await ticketOf(reader), {
    method: 'POST',
    headers: { authorization: `Bearer ${await ticketOf(reader)}` },
  });
  return answers.token.parse(await response.json()).token;
}

beforeAll(async () => {
  database = await startMariaDb({ timeZone: 'Asia/Manila' });
  const mysqlUrl = await createSchool(database, 'school');
  dataDir = await mkdtemp(join(tmpdir(), 'relay-reach-'));
  await storeWindows({ mysqlUrl, dataDir }, WINDOWS);
  gateway = await startTestGateway({ MYSQL_URL: mysqlUrl, MIN_GROUP: String(MIN_GROUP) }, { dataDir });
  live = await Peer.open(gateway.url);
  await live.hello(await gateway.ticket(STUDENTS[0]?.id ?? 0, { moduleId: MODULE }));
  await live.start();
});

afterAll(async () => {
  await live?.close();
  await gateway?.dispose();
  await database?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** The addresses of a route with every id that there is. */
function pathsOf(path: string): string[] {
  const sessionIds = [...new Map(WINDOWS.map((window) => [`${window.userId} ${window.moduleId}`, window])).values()];
  const values: Readonly<Record<string, readonly (string | number)[]>> = {
    '{userId}': STUDENTS.map(({ id }) => id).filter((id) => id % 3 === 0 || id === ME),
    '{moduleId}': MODULES.map(({ id }) => id),
    '{sectionId}': [32, 'none'],
    '{sessionId}': sessionIds.filter((_one, index) => index % 3 === 0).map(({ sessionId }) => sessionId),
  };
  return Object.entries(values).reduce(
    (paths, [name, ids]) =>
      paths.flatMap((one) => (one.includes(name) ? ids.map((id) => one.replace(name, String(id))) : [one])),
    [path],
  );
}

const READ_ROUTES = API_ROUTES.filter(({ method }) => method === 'get');

describe.each(READERS)('$name', (reader) => {
  const allowed = WINDOWS.filter(reader.sees);
  const students = new Set(allowed.map(({ userId }) => userId));
  const sessions = new Set(allowed.map(({ sessionId }) => sessionId));
  const isStranger = (id: number) => reader.role !== 'admin' && !students.has(id) && id !== reader.userId;
  const strangers = [...nameOf].filter(([id]) => isStranger(id)).map(([, name]) => name);
  const foreign = new Set(WINDOWS.map(({ sessionId }) => sessionId).filter((id) => !sessions.has(id)));

  it('sees no other student by any route, filter, order, page, search or file', async () => {
    const token = await tokenOf(reader);
    let answered = 0;
    for (const route of READ_ROUTES) {
      const known = new Set(['format', ...Object.keys(route.query.shape)]);
      const filters = FILTERS.filter((filter) =>
        [...new URLSearchParams(filter).keys()].every((name) => known.has(name)),
      );
      const asked = pathsOf(route.path).flatMap((path) =>
        filters.flatMap((filter) => [`${path}?${filter}`, ...(route.hasCsv ? [`${path}?${filter}&format=csv`] : [])]),
      );
      for (const path of asked) {
        const response = await get(path, token);
        const text = await response.text();
        expect([200, 403, 404], `${path}: ${text}`).toContain(response.status);
        if (response.status !== 200) continue;
        answered += 1;
        for (const name of strangers) expect(text.includes(name), `${path} names ${name}`).toBe(false);
        for (const [id] of text.matchAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{22}/g)) {
          expect(foreign.has(id), `${path} shows the session ${id}`).toBe(false);
        }
        for (const [, id] of text.matchAll(/"userId":(\d+)/g)) {
          expect(!isStranger(Number(id)), `${path} shows user ${id}`).toBe(true);
        }
      }
    }
    expect(answered).toBeGreaterThan(0);
  });

  it('has the sums of what may be seen, whichever way they are cut', async () => {
    if (reader.teaching === null) return;
    const token = await tokenOf(reader);
    const of = async (path: string) => (await (await get(path, token)).json()) as { rows?: { focusedMs: number }[] };
    const inSpan = allowed.filter((window) => dayOf(window) <= TO);
    for (const path of ['/api/v1/days', '/api/v1/hours', '/api/v1/modules']) {
      const { rows = [] } = await of(`${path}?${SPAN}`);
      expect(rows.reduce((total, row) => total + row.focusedMs, 0)).toBe(sum(inSpan));
    }
    for (const { id } of MODULES) {
      const { rows = [] } = await of(`/api/v1/modules/${id}/sections?${SPAN}`);
      const inModule = inSpan.filter(({ moduleId }) => moduleId === id);
      expect(rows.reduce((total, row) => total + row.focusedMs, 0)).toBe(sum(inModule));
    }
  });

  it('cannot do what is for admins, by ticket or by token', async () => {
    if (reader.role === 'admin') return;
    for (const token of [await ticketOf(reader), await tokenOf(reader)]) {
      for (const path of [`/api/v1/students/${ME}/data`, `/api/v1/readers/${ME}/tokens`]) {
        const response = await get(path, token, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
        expect([401, 403]).toContain(response.status);
      }
    }
  });

  it('sees which scope the reader has', async () => {
    const { reads } = answers.me.parse(await (await get('/api/v1/me', await tokenOf(reader))).json());
    const kind =
      reader.role === 'student'
        ? 'student'
        : reader.role === 'admin'
          ? 'school'
          : reader.teaching === null
            ? 'groups'
            : 'named';
    expect(reads.kind).toBe(kind);
    expect(reads.minGroup).toBe(kind === 'groups' ? MIN_GROUP : null);
  });
});

describe('who is seen last, and who is there now', () => {
  const teacherOf = (teaching: Teaching): Person => ({
    name: '',
    userId: TEACHER.id,
    role: 'teacher',
    teaching,
    sees: () => false,
  });

  it("of a student whose newest session is in somebody else's module, the newest in one's own is named", async () => {
    const token = await tokenOf(teacherOf({ classes: [], moduleIds: [MODULE] }));
    const { rows } = answers.students.parse(await (await get(`/api/v1/students?${SPAN}&pageSize=200`, token)).json());
    expect(rows.length).toBeGreaterThan(0);
    for (const { userId, lastSeenAtMs } of rows) {
      const own = WINDOWS.filter((window) => window.userId === userId && window.moduleId === MODULE);
      expect(lastSeenAtMs).toBe(Math.max(...own.map(({ endedAtMs }) => endedAtMs)));
    }
  });

  it('the live list has students of the class or module, and no others', async () => {
    const rows = async (teaching: Teaching) =>
      answers.live.parse(await (await get('/api/v1/live', await tokenOf(teacherOf(teaching)))).json()).rows;
    expect(await rows({ classes: [CLASS], moduleIds: [] })).toHaveLength(1);
    expect(await rows({ classes: [], moduleIds: [MODULE] })).toHaveLength(1);
    expect(await rows({ classes: ['BSIT-1B'], moduleIds: [4] })).toEqual([]);
  });
});

describe('a teacher whose ticket names no class and no module', () => {
  const reader: Person = { name: '', userId: TEACHER.id, role: 'teacher', teaching: null, sees: () => false };
  /** Sums over whole groups of MIN_GROUP students or more. */
  const groups = (from: string, to: string, moduleId?: number) =>
    [...GROUPS].flatMap(([key, windows]) => {
      const [day = '', module] = key.split(' ');
      return day >= from && day <= to && (moduleId === undefined || Number(module) === moduleId) ? windows : [];
    });

  it('there are groups that are shown and groups that are not', () => {
    expect(GROUPS.size).toBeGreaterThan(2);
    expect(sum([...GROUPS.values()].flat())).toBeLessThan(sum(SCHOOL));
  });

  it('gets sums of whole groups for every span of days and every module, so that no two answers differ by fewer students', async () => {
    const token = await tokenOf(reader);
    const days = datesOf({ from: FROM, to: TO });
    for (const from of days) {
      for (const to of days.filter((day) => day >= from)) {
        const { overview } = answers.overview.parse(
          await (await get(`/api/v1/overview?from=${from}&to=${to}`, token)).json(),
        );
        expect(overview.focusedMs).toBe(sum(groups(from, to)));
        expect(overview.longestFocusedBoutMs).toBeNull();
        for (const { id } of MODULES) {
          const body = await (await get(`/api/v1/days?from=${from}&to=${to}&moduleId=${id}`, token)).json();
          for (const row of answers.days.parse(body).rows) {
            expect(row.focusedMs).toBe(sum(groups(row.day, row.day, id)));
            expect(row.students).toBeGreaterThanOrEqual(MIN_GROUP);
            expect(row.longestFocusedBoutMs).toBeNull();
          }
        }
      }
    }
    const { module } = answers.module.parse(await (await get(`/api/v1/modules/${MODULE}?${SPAN}`, token)).json());
    expect(module).toMatchObject({ focusedMs: sum(groups(FROM, TO, MODULE)), medianFocusedBoutMs: null });
  });

  it('does not see the present day, which would tell the next student by what it grows by', async () => {
    const today = dateAt(Date.now(), MANILA_MS);
    const path = `/api/v1/days?from=${addDays(today, -1)}&to=${today}`;
    expect(answers.days.parse(await (await get(path, await tokenOf(reader))).json()).rows).toEqual([]);
    const admin = await gateway.ticket(1, { role: 'admin' });
    expect(answers.days.parse(await (await get(path, admin)).json()).rows).toHaveLength(1);
  });

  it.each([
    `/api/v1/students?${SPAN}`,
    `/api/v1/students/${ME}?${SPAN}`,
    `/api/v1/sessions?${SPAN}`,
    `/api/v1/sessions/${WINDOWS[0]?.sessionId}`,
    '/api/v1/live',
    `/api/v1/classes?${SPAN}`,
    `/api/v1/hours?${SPAN}`,
    `/api/v1/modules/${MODULE}/sections?${SPAN}`,
    `/api/v1/modules/${MODULE}/sections/32/timeline?${SPAN}`,
    `/api/v1/days?${SPAN}&userId=${ME}`,
    `/api/v1/overview?${SPAN}&class=${CLASS}`,
  ])('%s is refused: it is about less than a group', async (path) => {
    const response = await get(path, await tokenOf(reader));
    const { error } = (await response.json()) as { error: { code: string } };
    expect([response.status, error.code]).toEqual([403, 'details_not_allowed']);
  });
});

describe('a claim of another form', () => {
  it.each([
    { classes: 'BSIT-1A' },
    { classes: [''] },
    { classes: [7] },
    { modules: ['3'] },
    { modules: 'all' },
    { modules: [0] },
  ])('%j makes the ticket invalid, and never opens more', async (claims) => {
    const { signToken } = await import('../../../gateway/auth/tokens.ts');
    const { SECRET } = await import('../../../harness/gateway.ts');
    const ticket = signToken(
      {
        audience: 'edge-relay',
        lifetimeS: 300,
        nowMs: Date.now(),
        claims: { sub: '2', jti: 'x', mid: 3, role: 'teacher', scope: 'reports', ...claims },
      },
      SECRET,
    );
    expect((await get('/api/v1/me', ticket)).status).toBe(401);
  });
});

describe('a reader whose tokens are revoked', () => {
  const teacher = READERS[2] as Person;
  const past = (ms: number) => gateway.ticket(teacher.userId, { role: 'teacher', nowMs: Date.now() - ms });

  it('reads no more by ticket or token of before; a ticket of after reads again', async () => {
    const [token, ticket] = [await tokenOf(teacher), await past(2000)];
    const other = await tokenOf(READERS[0] as Person);
    const admin = await gateway.ticket(1, { role: 'admin' });
    const path = `/api/v1/readers/${teacher.userId}/tokens`;
    const response = await get(path, admin, { method: 'DELETE', headers: { authorization: `Bearer ${admin}` } });
    expect(answers.revoked.parse(await response.json()).userId).toBe(teacher.userId);
    expect((await get('/api/v1/me', token)).status).toBe(401);
    expect((await get('/api/v1/me', ticket)).status).toBe(401);
    expect((await get('/api/v1/me', other)).status).toBe(200);
    expect((await get('/api/v1/me', await past(-2000))).status).toBe(200);
  });
});
