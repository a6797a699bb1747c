import { beforeEach, expect, it } from 'vitest';
import type { Bout, MetricsWindow } from '../../../shared/metrics-window.ts';
import { describeStores } from './fixtures.ts';
import { metricsWindow } from './windows.ts';

const MINUTE_MS = 60_000;
/** 09:50 of a day in the time zone of this process, which the test's database shares. */
const LESSON_MS = new Date(2026, 2, 2, 9, 50).getTime();
/** Starts of the sessions that do not begin with the lesson. */
const SESSION_STARTS_MS: Readonly<Record<number, number>> = {
  2: LESSON_MS + 24 * 60 * MINUTE_MS,
  3: LESSON_MS + 5 * MINUTE_MS,
};
const session = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const bout = (kind: Bout['kind'], startedAtMs: number, durationMs: number): Bout => ({ kind, startedAtMs, durationMs });

interface Given {
  readonly student: number;
  readonly session: number;
  readonly seq: number;
  readonly atMs: number;
  readonly moduleId?: number;
  readonly sectionId?: number | null;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly unknownMs?: number;
  readonly untrackedMs?: number;
  readonly bouts?: readonly Bout[];
}

/** A window that looks left whenever it is unfocused, with ten frames, eight of them with a face. */
function lessonWindow(given: Given): MetricsWindow {
  const { focusedMs, unfocusedMs, unknownMs = 0, untrackedMs = 0 } = given;
  return metricsWindow({
    sessionId: session(given.session),
    userId: given.student,
    seq: given.seq,
    moduleId: given.moduleId ?? 3,
    sectionId: given.sectionId === undefined ? 12 : given.sectionId,
    sessionStartedAtMs: SESSION_STARTS_MS[given.session] ?? LESSON_MS,
    startedAtMs: given.atMs,
    endedAtMs: given.atMs + focusedMs + unfocusedMs + unknownMs + untrackedMs,
    focusedMs,
    unfocusedMs,
    unknownMs,
    untrackedMs,
    directionMs: { centered: focusedMs, looking_left: unfocusedMs, unknown: unknownMs },
    bouts: given.bouts ?? [],
    framesReceived: 11,
    framesProcessed: 10,
    framesDropped: 1,
    framesWithFace: 8,
    bytesUp: 1000,
    bytesDown: 50,
    gatewayMsSum: 20,
  });
}

/**
 * Student 7 at 9:50 for a quarter of an hour, over the full hour, and again the day after in another section;
 * student 8 at 9:55 for a minute in the same lesson.
 */
const WINDOWS: readonly MetricsWindow[] = [
  lessonWindow({
    student: 7,
    session: 1,
    seq: 0,
    atMs: LESSON_MS,
    focusedMs: 20_000,
    unfocusedMs: 10_000,
    bouts: [bout('focused', LESSON_MS, 20_000), bout('unfocused', LESSON_MS + 20_000, 10_000)],
  }),
  lessonWindow({
    student: 7,
    session: 1,
    seq: 1,
    atMs: LESSON_MS + MINUTE_MS,
    focusedMs: 30_000,
    unfocusedMs: 0,
    bouts: [bout('focused', LESSON_MS + MINUTE_MS, 30_000)],
  }),
  lessonWindow({
    student: 7,
    session: 1,
    seq: 2,
    atMs: LESSON_MS + 15 * MINUTE_MS,
    focusedMs: 5000,
    unfocusedMs: 5000,
    unknownMs: 10_000,
    untrackedMs: 5000,
    bouts: [
      bout('focused', LESSON_MS + 15 * MINUTE_MS, 5000),
      bout('unfocused', LESSON_MS + 15 * MINUTE_MS + 5000, 5000),
    ],
  }),
  lessonWindow({
    student: 7,
    session: 2,
    seq: 0,
    atMs: LESSON_MS + 24 * 60 * MINUTE_MS,
    sectionId: null,
    focusedMs: 1000,
    unfocusedMs: 3000,
    bouts: [bout('unfocused', LESSON_MS + 24 * 60 * MINUTE_MS, 3000)],
  }),
  lessonWindow({
    student: 8,
    session: 3,
    seq: 0,
    atMs: LESSON_MS + 5 * MINUTE_MS,
    focusedMs: 0,
    unfocusedMs: 30_000,
    bouts: [bout('unfocused', LESSON_MS + 5 * MINUTE_MS, 30_000)],
  }),
  lessonWindow({ student: 8, session: 3, seq: 1, atMs: LESSON_MS + 6 * MINUTE_MS, focusedMs: 30_000, unfocusedMs: 0 }),
];

describeStores('the report views of a $kind store', ({ fixture, store }) => {
  beforeEach(async () => {
    // In two deliveries and out of order, as after an outage.
    await store().applyWindows([...WINDOWS].reverse().slice(0, 4));
    await store().applyWindows(WINDOWS);
  });
  it('tell of a student', async () => {
    const rows = await fixture().query('SELECT * FROM relay_report_students ORDER BY user_id');
    expect(rows).toMatchObject([
      {
        user_id: 7,
        student_name: null,
        class_name: null,
        active_days: 2,
        first_day: '2026-03-02',
        last_day: '2026-03-03',
        module_count: 1,
        session_count: 2,
        focused_bout_count: 3,
        unfocused_bout_count: 3,
        longest_focused_bout_ms: 30_000,
        tracked_ms: 84_000,
        focused_ms: 56_000,
        unfocused_ms: 18_000,
        unknown_ms: 10_000,
        untracked_ms: 5000,
        focused_share_percent: 66.67,
        unfocused_share_percent: 21.43,
        unknown_share_percent: 11.9,
        untracked_share_percent: 5.62,
        centered_share_percent: 66.67,
        looking_left_share_percent: 21.43,
        looking_right_share_percent: 0,
        no_face_share_percent: 0,
        frames_received: 44,
        frames_processed: 40,
        frames_dropped: 4,
        frames_with_face_percent: 80,
        gateway_ms_mean: 2,
        up_bytes: 4000,
        down_bytes: 200,
      },
      { user_id: 8, session_count: 1, focused_ms: 30_000, unfocused_ms: 30_000, focused_share_percent: 50 },
    ]);
  });

  it('tell of a student by day and by module', async () => {
    expect(
      await fixture().query('SELECT * FROM relay_report_student_days WHERE user_id = 7 ORDER BY day'),
    ).toMatchObject([
      { day: '2026-03-02', session_count: 1, tracked_ms: 80_000, focused_share_percent: 68.75 },
      { day: '2026-03-03', session_count: 1, tracked_ms: 4000, focused_share_percent: 25 },
    ]);
    expect(await fixture().query('SELECT * FROM relay_report_student_modules WHERE user_id = 8')).toMatchObject([
      { module_id: 3, active_days: 1, tracked_ms: 60_000 },
    ]);
  });

  it('tell of a module and its lesson sections', async () => {
    expect(await fixture().query('SELECT * FROM relay_report_modules')).toMatchObject([
      { module_id: 3, student_count: 2, active_days: 2, session_count: 3, tracked_ms: 144_000, focused_ms: 86_000 },
    ]);
    expect(
      await fixture().query('SELECT * FROM relay_report_sections ORDER BY section_id IS NULL, section_id'),
    ).toMatchObject([
      { module_id: 3, section_id: 12, student_count: 2, tracked_ms: 140_000, focused_share_percent: 60.71 },
      { module_id: 3, section_id: null, student_count: 1, tracked_ms: 4000, focused_share_percent: 25 },
    ]);
  });

  it('tell of days and hours of the day', async () => {
    expect(await fixture().query('SELECT * FROM relay_report_days ORDER BY day')).toMatchObject([
      { day: '2026-03-02', student_count: 2, session_count: 2, tracked_ms: 140_000 },
      { day: '2026-03-03', student_count: 1, session_count: 1, tracked_ms: 4000 },
    ]);
    expect(await fixture().query('SELECT * FROM relay_report_hours_of_day ORDER BY hour_of_day')).toMatchObject([
      { hour_of_day: 9, student_count: 2, active_days: 2, session_count: 3, tracked_ms: 124_000 },
      { hour_of_day: 10, student_count: 1, active_days: 1, session_count: 0, tracked_ms: 20_000 },
    ]);
  });

  it('tell of everybody as one class where no class is known', async () => {
    expect(await fixture().query('SELECT * FROM relay_report_classes')).toMatchObject([
      { class_name: null, student_count: 2, session_count: 3, tracked_ms: 144_000, focused_share_percent: 59.72 },
    ]);
    expect(await fixture().query('SELECT * FROM relay_report_class_days ORDER BY day')).toMatchObject([
      { class_name: null, day: '2026-03-02', student_count: 2 },
      { class_name: null, day: '2026-03-03', student_count: 1 },
    ]);
  });

  it('give bouts with their number, exact median and longest', async () => {
    const query = (view: string, where = '') =>
      fixture().query(`SELECT kind, bout_count, total_ms, median_ms, longest_ms FROM ${view} ${where} ORDER BY kind`);
    expect(await query('relay_report_student_bouts', 'WHERE user_id = 7')).toEqual([
      { kind: 'focused', bout_count: 3, total_ms: 55_000, median_ms: 20_000, longest_ms: 30_000 },
      { kind: 'unfocused', bout_count: 3, total_ms: 18_000, median_ms: 5000, longest_ms: 10_000 },
    ]);
    const unfocusedOfAll = { kind: 'unfocused', bout_count: 4, total_ms: 48_000, median_ms: 7500, longest_ms: 30_000 };
    for (const view of ['relay_report_class_bouts', 'relay_report_module_bouts']) {
      expect((await query(view))[1]).toEqual(unfocusedOfAll);
    }
    expect(await query('relay_report_section_bouts', "WHERE section_id = 12 AND kind = 'unfocused'")).toEqual([
      { kind: 'unfocused', bout_count: 3, total_ms: 45_000, median_ms: 10_000, longest_ms: 30_000 },
    ]);
    expect(await query('relay_report_day_bouts', "WHERE day = '2026-03-03'")).toEqual([
      { kind: 'unfocused', bout_count: 1, total_ms: 3000, median_ms: 3000, longest_ms: 3000 },
    ]);
    expect(await query('relay_report_hour_bouts', 'WHERE hour_of_day = 10')).toEqual([
      { kind: 'focused', bout_count: 1, total_ms: 5000, median_ms: 5000, longest_ms: 5000 },
      { kind: 'unfocused', bout_count: 1, total_ms: 5000, median_ms: 5000, longest_ms: 5000 },
    ]);
    expect(await fixture().query("SELECT COUNT(*) AS n FROM relay_report_bouts WHERE day = '2026-03-02'")).toEqual([
      { n: 6 },
    ]);
  });

  it('show at which minute of a lesson section students look away', async () => {
    const rows = await fixture().query(
      'SELECT * FROM relay_report_timeline WHERE module_id = 3 AND section_id = 12 ORDER BY minute_no',
    );
    expect(rows).toMatchObject([
      // Student 8 entered at 9:55: it is their first minute too.
      { minute_no: 0, student_count: 2, distraction_count: 2, focused_share_percent: 33.33, unfocused_ms: 40_000 },
      { minute_no: 1, student_count: 2, distraction_count: 0, focused_share_percent: 100, unfocused_share_percent: 0 },
      { minute_no: 15, student_count: 1, distraction_count: 1, unknown_ms: 10_000, untracked_ms: 5000 },
    ]);
    expect(rows).toHaveLength(3);
  });

  it("show a session's time line with its gaps", async () => {
    const rows = await fixture().query(
      `SELECT w.started_at_ms, w.ended_at_ms, w.focused_share_percent FROM relay_report_windows w
       JOIN relay_report_sessions s ON s.session_id = w.session_id
       WHERE s.session_uuid = '${session(1)}' ORDER BY w.epoch, w.seq`,
    );
    expect(rows).toEqual([
      { started_at_ms: LESSON_MS, ended_at_ms: LESSON_MS + 30_000, focused_share_percent: 66.67 },
      { started_at_ms: LESSON_MS + 60_000, ended_at_ms: LESSON_MS + 90_000, focused_share_percent: 100 },
      { started_at_ms: LESSON_MS + 900_000, ended_at_ms: LESSON_MS + 925_000, focused_share_percent: 25 },
    ]);
  });

  it('tell of no quiz where there are no results', async () => {
    expect(await fixture().query('SELECT * FROM relay_report_quiz')).toEqual([]);
  });

  it('can be cut by any range of days', async () => {
    const rows = await fixture().query(
      `SELECT user_id, SUM(focused_ms) AS focused_ms, SUM(tracked_ms) AS tracked_ms FROM relay_report_hours
       WHERE day BETWEEN '2026-03-03' AND '2026-03-09' GROUP BY user_id`,
    );
    expect(rows).toEqual([{ user_id: 7, focused_ms: 1000, tracked_ms: 4000 }]);
  });
});
