import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eyelearn } from '../../../gateway/eyelearn/platform.ts';
import { openReports } from '../../../gateway/reports/open.ts';
import type { ReportStore, StudentsQuery } from '../../../gateway/reports/port.ts';
import { openStore } from '../../../gateway/store/open.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { SILENT } from '../../../harness/gateway.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { detailSchema, type Figures } from '../../../shared/report/figures.ts';
import * as rowSchemas from '../../../shared/report/rows.ts';
import { MODULES } from '../../support/report-data.ts';
import { createSchool } from '../../support/school-database.ts';
import {
  classOf,
  dayInManila,
  detail,
  FIRST_DAY_MS,
  figures,
  groups,
  inManila,
  LATE,
  MANILA_MS,
  nameOf,
  SCHOOL,
  scope,
  sum,
  WINDOWS,
} from './true-figures.ts';

const BY_NAME: StudentsQuery = { order: 'name', descending: false, limit: 100, offset: 0 };

let database: MariaDb | null = null;
const folders: string[] = [];

/** The embedded store takes its days from this process's time zone. */
const ZONE = process.env.TZ;
process.env.TZ = 'Asia/Manila';

async function libsqlPlace() {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'relay-reports-'));
  folders.push(dataDir);
  return { mysqlUrl: null, dataDir };
}

async function mysqlPlace() {
  database = await startMariaDb({ timeZone: 'Asia/Manila' });
  return { mysqlUrl: await createSchool(database, 'reports'), dataDir: '' };
}

afterAll(async () => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
  await database?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe.each([
  ['libsql', libsqlPlace, false],
  ['MariaDB with the tables of EyeLearn', mysqlPlace, true],
] as const)('reports from %s', (_name, place, named) => {
  let store: MetricsStore;
  let reports: ReportStore;

  beforeAll(async () => {
    const config = await place();
    const platform = eyelearn({ php: null }, SILENT);
    store = await openStore(config, SILENT, platform.loadStoreHooks);
    for (let at = 0; at < WINDOWS.length; at += 500) await store.applyWindows(WINDOWS.slice(at, at + 500));
    reports = openReports(config, store);
  });

  afterAll(async () => {
    await reports.close();
    await store.close();
  });

  it('the whole school: every figure is that of the windows', async () => {
    const found = await reports.detail(scope());
    expect(found).toEqual(detail(WINDOWS));
    expect(detailSchema.parse(found)).toEqual(found);
    const {
      medianFocusedBoutMs: _focused,
      medianUnfocusedBoutMs: _unfocused,
      longestUnfocusedBoutMs: _longest,
      ...totals
    } = found;
    expect(await reports.totals(scope())).toEqual(totals);
    expect(found.sessions).toBeGreaterThan(40);
  });

  it('one student, one module, both', async () => {
    const [userId, moduleId] = [9, 4];
    expect(await reports.detail(scope({ userId }))).toEqual(detail(WINDOWS.filter((w) => w.userId === userId)));
    expect(await reports.detail(scope({ moduleId }))).toEqual(detail(WINDOWS.filter((w) => w.moduleId === moduleId)));
    const both = WINDOWS.filter((w) => w.userId === userId && w.moduleId === moduleId);
    expect(await reports.detail(scope({ userId, moduleId }))).toEqual(detail(both));
  });

  it('where there is nothing, shares and lengths are null', async () => {
    expect(await reports.detail(scope({ userId: 123_456 }))).toMatchObject({
      sessions: 0,
      trackedMs: 0,
      focusShare: null,
      longestFocusedBoutMs: null,
      medianFocusedBoutMs: null,
    });
    expect(await reports.days(scope({ userId: 123_456 }))).toEqual([]);
    expect(await reports.detail(scope({ userId: 999 }))).toMatchObject({
      sessions: 1,
      untrackedMs: 20_000,
      focusShare: null,
    });
  });

  it('days are those of the database, and a window counts on the day on which it begins', async () => {
    const days = await reports.days(scope());
    const expected = [...groups(WINDOWS, dayInManila)].toSorted(([a], [b]) => a.localeCompare(b));
    expect(days).toEqual(expected.map(([day, windows]) => ({ day, ...figures(windows) })));
    const late = await reports.days(scope({ userId: 999 }));
    expect(late.map(({ day, sessions, untrackedMs }) => [day, sessions, untrackedMs])).toEqual([
      ['2026-03-04', 1, 10_000],
      ['2026-03-05', 0, 10_000],
    ]);
    expect(rowSchemas.dayRowSchema.array().parse(days)).toEqual(days);
  });

  it('a list of sessions has those that began on the days, with all of their time', async () => {
    const on = async (day: string) => {
      const range = { from: day, to: day };
      return (await reports.sessions(scope({ range, userId: 999 }), { limit: 10, offset: 0 })).rows;
    };
    expect((await on('2026-03-04')).map(({ untrackedMs }) => untrackedMs)).toEqual([20_000]);
    expect(await on('2026-03-05')).toEqual([]);
  });

  it('the offset of the database clock from UTC is known', async () => {
    expect(await reports.utcOffsetMs(FIRST_DAY_MS)).toBe(MANILA_MS);
  });

  it('say to the millisecond what the report views say', async () => {
    const range = scope();
    const ask = async (sql: string) => (await store.execute([{ sql, values: [] }]))[0]?.rows ?? [];
    const columns =
      'session_count, focused_bout_count, unfocused_bout_count, longest_focused_bout_ms, focused_ms, unfocused_ms, unknown_ms, untracked_ms, tracked_ms';
    const ofView = (rows: readonly Readonly<Record<string, unknown>>[], key: string) =>
      rows.map((row) => [row[key], ...columns.split(', ').map((column) => Number(row[column]))]);
    const ofReport = (key: unknown, row: Figures) => [
      key,
      row.sessions,
      row.focusedBouts,
      row.unfocusedBouts,
      row.longestFocusedBoutMs ?? 0,
      row.focusedMs,
      row.unfocusedMs,
      row.unknownMs,
      row.untrackedMs,
      row.trackedMs,
    ];
    const compare = async (view: string, key: string, found: unknown[][]) =>
      expect(found, view).toEqual(ofView(await ask(`SELECT ${key}, ${columns} FROM ${view} ORDER BY ${key}`), key));

    await compare(
      'relay_report_days',
      'day',
      (await reports.days(range)).map((row) => ofReport(row.day, row)),
    );
    await compare(
      'relay_report_hours_of_day',
      'hour_of_day',
      (await reports.hours(range)).map((row) => ofReport(row.hour, row)),
    );
    await compare(
      'relay_report_modules',
      'module_id',
      (await reports.modules(range)).map((row) => ofReport(row.moduleId, row)),
    );
    const students = (await reports.students(range, BY_NAME)).rows.toSorted((a, b) => a.userId - b.userId);
    await compare(
      'relay_report_students',
      'user_id',
      students.map((row) => ofReport(row.userId, row)),
    );
    const sessions = await reports.sessions(range, { limit: 1000, offset: 0 });
    const byId = sessions.rows.toSorted((a, b) => a.sessionId.localeCompare(b.sessionId));
    const sessionRows = await ask(`SELECT *, 1 AS session_count FROM relay_report_sessions ORDER BY session_uuid`);
    expect(byId.map((row) => ofReport(row.sessionId, row))).toEqual(ofView(sessionRows, 'session_uuid'));
    for (const { userId } of students) {
      const found = await reports.detail({ ...range, userId });
      const medians = await ask(`SELECT kind, median_ms FROM relay_report_student_bouts WHERE user_id = ${userId}`);
      const median = (kind: string) => medians.find((row) => row.kind === kind)?.median_ms;
      const whole = (value: number | null) => (value === null ? undefined : Math.round(value));
      expect([whole(found.medianFocusedBoutMs), whole(found.medianUnfocusedBoutMs)]).toEqual(
        ['focused', 'unfocused'].map((kind) => (median(kind) === undefined ? undefined : Number(median(kind)))),
      );
    }
  });

  it('hours are those in which windows begin', async () => {
    const hourOf = (w: MetricsWindow) => inManila(w).getUTCHours();
    const expected = [...groups(WINDOWS, hourOf)].toSorted(([a], [b]) => a - b);
    expect(await reports.hours(scope())).toEqual(expected.map(([hour, windows]) => ({ hour, ...figures(windows) })));
  });

  it('classes', async () => {
    const rows = await reports.classes(scope());
    if (!named) {
      expect(rows).toEqual([{ className: null, ...figures(WINDOWS) }]);
      expect(await reports.detail(scope({ className: 'BSIT-1A' }))).toMatchObject({ sessions: 0 });
      return;
    }
    const expected = groups(WINDOWS, (w) => classOf(w.userId));
    expect(rows.map(({ className }) => className)).toEqual(['BSCS-2A', 'BSIT-1A', 'BSIT-1B', null]);
    for (const row of rows) {
      expect(row).toEqual({ className: row.className, ...figures(expected.get(row.className) ?? []) });
    }
    const [first] = rows;
    expect(await reports.detail(scope({ className: 'BSCS-2A' }))).toMatchObject({ focusedMs: first?.focusedMs });
  });

  it('students, a page at a time, sorted and searched for', async () => {
    const all = await reports.students(scope(), BY_NAME);
    const expected = groups(WINDOWS, (w) => w.userId);
    expect(all.total).toBe(expected.size);
    expect(rowSchemas.studentRowSchema.array().parse(all.rows)).toEqual(all.rows);
    for (const row of all.rows) {
      const windows = expected.get(row.userId) ?? [];
      expect(row).toEqual({
        userId: row.userId,
        name: named ? nameOf(row.userId) : null,
        className: named ? classOf(row.userId) : null,
        lastSeenAtMs: Math.max(...windows.map(({ endedAtMs }) => endedAtMs)),
        ...figures(windows),
      });
    }
    const shares = (rows: typeof all.rows) => rows.map(({ focusShare }) => focusShare);
    const worst = await reports.students(scope(), { ...BY_NAME, order: 'focusShare' });
    const numbers = shares(worst.rows).filter((value) => value !== null);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(worst.rows.at(-1)?.userId).toBe(999);
    const best = await reports.students(scope(), { ...BY_NAME, order: 'focusShare', descending: true });
    expect(shares(best.rows).slice(0, -1)).toEqual(numbers.toReversed());
    expect(best.rows.at(-1)?.userId).toBe(999);

    const pages = [0, 7, 14].map((offset) => reports.students(scope(), { ...BY_NAME, limit: 7, offset }));
    expect((await Promise.all(pages)).flatMap(({ rows }) => rows)).toEqual(all.rows);

    const byId = await reports.students(scope(), { ...BY_NAME, search: '9' });
    expect(byId.rows.map(({ userId }) => userId)).toEqual([9]);
    const byName = await reports.students(scope(), { ...BY_NAME, search: 'na r' });
    expect(byName.rows.map(({ name }) => name)).toEqual(named ? ['Ana Reyes'] : []);
    expect((await reports.students(scope(), { ...BY_NAME, search: '%' })).total).toBe(0);
    expect((await reports.students(scope(), { ...BY_NAME, search: "' OR 1=1 -- " })).total).toBe(0);
  });

  it('modules, and the lesson sections of one', async () => {
    const modules = await reports.modules(scope());
    const byModule = groups(WINDOWS, (w) => w.moduleId);
    expect(modules).toEqual(
      [...byModule]
        .toSorted(([a], [b]) => a - b)
        .map(([moduleId, windows]) => ({
          moduleId,
          title: named ? (MODULES.find(({ id }) => id === moduleId)?.title ?? null) : null,
          ...figures(windows),
        })),
    );
    const sections = await reports.sections({ ...scope(), moduleId: 4 });
    const bySection = groups(byModule.get(4) ?? [], (w) => w.sectionId);
    expect(sections).toEqual(
      [...bySection]
        .toSorted(([a], [b]) => (a ?? 0) - (b ?? 0))
        .map(([sectionId, windows]) => ({
          sectionId,
          title: named ? (MODULES[1].sections.find(({ id }) => id === sectionId)?.title ?? null) : null,
          ...figures(windows),
        })),
    );
    expect(sum(sections, (row) => row.focusedMs)).toBe(modules.find(({ moduleId }) => moduleId === 4)?.focusedMs);
    expect((await reports.sections({ ...scope(), moduleId: 99 })).map(({ sectionId }) => sectionId)).toEqual([null]);
  });

  it('one lesson section, and none', async () => {
    const section = { ...scope(), moduleId: 4, sectionId: 42 };
    expect(await reports.sectionDetail(section)).toEqual(detail(WINDOWS.filter((w) => w.sectionId === 42)));
    expect(await reports.sectionDetail({ ...scope(), moduleId: 99, sectionId: null })).toEqual(detail(LATE));
  });

  it("a lesson section's time line counts time spent in it, and the looks away where they began", async () => {
    const stepMs = 60_000;
    const rows = await reports.timeline({ ...scope(), moduleId: 4, sectionId: 42 }, stepMs);
    const steps = new Map<
      number,
      { users: Set<number>; focusedMs: number; untrackedMs: number; bouts: number; boutMs: number }
    >();
    const stepAt = (at: number) => {
      const step = steps.get(at) ?? { users: new Set(), focusedMs: 0, untrackedMs: 0, bouts: 0, boutMs: 0 };
      steps.set(at, step);
      return step;
    };
    for (const windows of groups(
      WINDOWS.filter((w) => w.sectionId === 42),
      (w) => w.sessionId,
    ).values()) {
      let spentMs = 0;
      for (const window of windows) {
        const step = stepAt(Math.floor(spentMs / stepMs));
        step.users.add(window.userId);
        step.focusedMs += window.focusedMs;
        step.untrackedMs += window.untrackedMs;
        for (const bout of window.bouts.filter(({ kind }) => kind === 'unfocused')) {
          const began = stepAt(Math.floor(Math.max(0, spentMs + bout.startedAtMs - window.startedAtMs) / stepMs));
          began.bouts += 1;
          began.boutMs += bout.durationMs;
        }
        spentMs += window.endedAtMs - window.startedAtMs;
      }
    }
    expect(rows.length).toBeGreaterThan(8);
    expect(
      rows.map((row) => [
        row.startMs / stepMs,
        row.students,
        row.focusedMs,
        row.untrackedMs,
        row.distractions,
        row.distractionMs,
      ]),
    ).toEqual(
      [...steps]
        .toSorted(([a], [b]) => a - b)
        .map(([at, step]) => [at, step.users.size, step.focusedMs, step.untrackedMs, step.bouts, step.boutMs]),
    );
    expect(rowSchemas.timelineRowSchema.array().parse(rows)).toEqual(rows);
  });

  it('sessions, the newest first', async () => {
    const { rows, total } = await reports.sessions(scope(), { limit: 1000, offset: 0 });
    const expected = groups(WINDOWS, (w) => w.sessionId);
    expect(total).toBe(expected.size);
    expect(rows).toHaveLength(total);
    expect(rows.map(({ startedAtMs }) => startedAtMs)).toEqual(
      rows.map(({ startedAtMs }) => startedAtMs).toSorted((a, b) => b - a),
    );
    for (const row of rows) {
      const windows = expected.get(row.sessionId) ?? [];
      expect(row).toMatchObject({ ...figures(windows), final: true, userId: windows[0]?.userId });
    }
    const slice = await reports.sessions(scope(), { limit: 5, offset: 3 });
    expect(slice.rows).toEqual(rows.slice(3, 8));
    expect(rowSchemas.sessionRowSchema.array().parse(rows)).toEqual(rows);
  });

  it('names of the ids that are known', async () => {
    const names = await reports.names({ users: [7, 7, 12_345], modules: [3], sections: [31, 77] });
    expect([...names.students]).toEqual(named ? [[7, { name: 'Ana Reyes', className: 'BSIT-1A' }]] : []);
    expect([...names.modules]).toEqual(named ? [[3, 'Computer Networks']] : []);
    expect([...names.sections]).toEqual(named ? [[31, 'What a network is']] : []);
  });
});

describe('reports from MariaDB, as databases are found', () => {
  it('go without names where the platform has no such tables', async () => {
    const mysqlUrl = (await database?.createDatabase('bare')) ?? '';
    const config = { mysqlUrl, dataDir: '' };
    const platform = eyelearn({ php: null }, SILENT);
    const store = await openStore(config, SILENT, platform.loadStoreHooks);
    await store.applyWindows(SCHOOL.slice(0, 20));
    const reports = openReports(config, store);
    expect((await reports.students(scope(), BY_NAME)).rows[0]?.name).toBeNull();
    expect(await reports.classes(scope())).toHaveLength(1);
    await reports.close();
    await store.close();
  });

  it('are store_unreachable while the server is away, and continue when it is back', async () => {
    const config = { mysqlUrl: database?.url('reports') ?? '', dataDir: '' };
    const platform = eyelearn({ php: null }, SILENT);
    const store = await openStore(config, SILENT, platform.loadStoreHooks);
    const reports = openReports(config, store);
    expect((await reports.detail(scope())).sessions).toBeGreaterThan(0);
    await database?.kill();
    await expect(reports.detail(scope())).rejects.toMatchObject({ code: 'store_unreachable' });
    await database?.restart();
    expect((await reports.detail(scope())).sessions).toBeGreaterThan(0);
    await reports.close();
    await store.close();
  });
});
