import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bookedSpans } from '../../../gateway/store/booked-spans.ts';
import { storedKeys } from '../../../gateway/store/ledger.ts';
import type { MetricsStore, SessionReport } from '../../../gateway/store/port.ts';
import { sessionTotals } from '../../../gateway/store/session-totals.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { describeStores } from './fixtures.ts';
import { metricsWindow, SESSION_A, SESSION_B, START_MS, sumOf, windowSeries } from './windows.ts';

/** The totals that a report must have for these windows, from the windows alone. */
function expectedTotals(windows: readonly MetricsWindow[]) {
  const directionMs: Record<string, number> = {};
  for (const window of windows) {
    for (const [direction, ms] of Object.entries(window.directionMs)) {
      if (ms > 0) directionMs[direction] = (directionMs[direction] ?? 0) + ms;
    }
  }
  return {
    focusedMs: sumOf(windows, (window) => window.focusedMs),
    unfocusedMs: sumOf(windows, (window) => window.unfocusedMs),
    unknownMs: sumOf(windows, (window) => window.unknownMs),
    untrackedMs: sumOf(windows, (window) => window.untrackedMs),
    directionMs,
    framesReceived: sumOf(windows, (window) => window.framesReceived),
    framesProcessed: sumOf(windows, (window) => window.framesProcessed),
    framesDropped: sumOf(windows, (window) => window.framesDropped),
    framesWithFace: sumOf(windows, (window) => window.framesWithFace),
    bytesUp: sumOf(windows, (window) => window.bytesUp),
    bytesDown: sumOf(windows, (window) => window.bytesDown),
    endedAtMs: Math.max(...windows.map((window) => window.endedAtMs)),
    final: windows.some((window) => window.final),
  };
}

async function reportOf(store: MetricsStore, sessionId = SESSION_A): Promise<SessionReport> {
  const report = await store.sessionReport(sessionId);
  if (report === null) throw new Error(`no session ${sessionId}`);
  return report;
}

describeStores('a $kind store', ({ kind, fixture, store }) => {
  it('says its kind, answers a ping and migrates any number of times', async () => {
    expect(store().kind).toBe(kind);
    await store().migrate();
    await store().ping();
  });

  it('is migrated by two gateways at once', async () => {
    await fixture().reset();
    const gateways = [fixture().open(), fixture().open()];
    await Promise.all(gateways.map((gateway) => gateway.migrate()));
    const tags = await fixture().query('SELECT tag FROM relay_migrations ORDER BY tag');
    expect(tags.slice(0, 4)).toEqual([
      { tag: '0000_tables' },
      { tag: '0001_report_views' },
      { tag: '0002_report_totals' },
      { tag: '0003_report_dimensions' },
    ]);
    await Promise.all(gateways.map((gateway) => gateway.close()));
  });

  it('takes no late word: a window whose time a later epoch covers counts for nothing, one that only comes late does', async () => {
    const times = (fromS: number, untilS: number) => ({
      startedAtMs: START_MS + fromS * 1000,
      endedAtMs: START_MS + untilS * 1000,
    });
    const before = metricsWindow({ epoch: 3, seq: 0, ...times(0, 30) });
    const booked = metricsWindow({ epoch: 3, seq: 1, ...times(30, 50) });
    const after = metricsWindow({ epoch: 60, seq: 0, ...times(50, 80) });
    const late = metricsWindow({ epoch: 3, seq: 2, ...times(50, 70) });
    await store().applyWindows([booked, after]);
    expect(await store().applyWindows([late, before])).toEqual({ applied: 1, repeated: 1 });
    const report = await reportOf(store());
    expect(report).toMatchObject(expectedTotals([before, booked, after]));
    expect(await storedKeys(store(), [before, booked, after, late])).toHaveProperty('size', 4);
    // In one delivery too.
    const ofOther = [booked, after, late].map((window) => ({ ...window, sessionId: SESSION_B }));
    expect(await store().applyWindows(ofOther)).toEqual({ applied: 2, repeated: 1 });
  });

  it('gives back what it was given', async () => {
    const windows = [
      metricsWindow({ seq: 0, sectionId: 12 }),
      metricsWindow({ seq: 1, mode: 'device', rule: 'seed', bouts: [], directionMs: {}, gatewayMsSum: 0.125 }),
      metricsWindow({ epoch: 1, seq: 0, final: true }),
    ];
    expect(await store().applyWindows(windows)).toEqual({ applied: 3, repeated: 0 });
    const report = await reportOf(store());
    expect(report.windows).toEqual(windows);
    expect(report).toMatchObject({ sessionId: SESSION_A, userId: 7, moduleId: 3, startedAtMs: START_MS });
    expect(report).toMatchObject(expectedTotals(windows));
    expect(report.bouts).toEqual(windows.flatMap((window) => window.bouts));
  });

  it('knows which time other sessions of the student have, connection by connection', async () => {
    const at = (fromS: number, untilS: number) => ({
      startedAtMs: START_MS + fromS * 1000,
      endedAtMs: START_MS + untilS * 1000,
      bouts: [],
    });
    const other = (epoch: number, seq: number, fromS: number, untilS: number) =>
      metricsWindow({ sessionId: SESSION_B, epoch, seq, ...at(fromS, untilS) });
    await store().applyWindows([
      metricsWindow({ ...at(0, 30) }),
      other(1, 0, 10, 20),
      other(2, 0, 40, 50),
      other(2, 1, 50, 55),
      metricsWindow({ sessionId: '33333333-3333-4333-8333-333333333333', userId: 8, ...at(40, 60) }),
    ]);
    const of = { userId: 7, sessionId: SESSION_A };
    const span = (fromS: number, untilS: number) => ({
      sessionId: SESSION_B,
      fromMs: START_MS + fromS * 1000,
      untilMs: START_MS + untilS * 1000,
    });
    expect(await bookedSpans(store(), { ...of, afterMs: START_MS + 30_000 })).toEqual([span(40, 55)]);
    expect(await bookedSpans(store(), { ...of, afterMs: START_MS })).toEqual([span(10, 20), span(40, 55)]);
    expect(await bookedSpans(store(), { ...of, afterMs: START_MS + 55_000 })).toEqual([]);
  });

  it('knows the totals of a session without its windows', async () => {
    const windows = [metricsWindow({ seq: 0 }), metricsWindow({ seq: 1 }), metricsWindow({ epoch: 1, seq: 0 })];
    await store().applyWindows(windows);
    const { startedAtMs, endedAtMs, bouts } = await reportOf(store());
    const { focusedMs, unfocusedMs, unknownMs, untrackedMs } = expectedTotals(windows);
    const focusBouts = bouts.filter(({ kind }) => kind === 'focused').length;
    expect(await sessionTotals(store(), SESSION_A)).toEqual({
      startedAtMs,
      endedAtMs,
      totals: {
        focusedMs,
        unfocusedMs,
        unknownMs,
        untrackedMs,
        directionMs: {},
        focusBouts,
        unfocusBouts: bouts.length - focusBouts,
      },
    });
    expect(await sessionTotals(store(), SESSION_B)).toBeNull();
  });

  it('has no report of an unknown session', async () => {
    expect(await store().sessionReport(SESSION_B)).toBeNull();
    expect(await store().sessionReport('not even an id')).toBeNull();
  });

  it('takes no windows and applies none', async () => {
    expect(await store().applyWindows([])).toEqual({ applied: 0, repeated: 0 });
  });

  it('counts a window once, however often it comes', async () => {
    const [first, second, third] = [metricsWindow({ seq: 0 }), metricsWindow({ seq: 1 }), metricsWindow({ seq: 2 })];
    await store().applyWindows([first, second]);
    expect(await store().applyWindows([first, second])).toEqual({ applied: 0, repeated: 2 });
    expect(await store().applyWindows([second, third, third])).toEqual({ applied: 1, repeated: 2 });
    const report = await reportOf(store());
    expect(report).toMatchObject(expectedTotals([first, second, third]));
    expect(report.bouts).toHaveLength(6);
  });

  it('keeps epochs apart and in order, whatever order they come in', async () => {
    const windows = [
      metricsWindow({ epoch: 1, seq: 1 }),
      metricsWindow({ epoch: 0, seq: 1 }),
      metricsWindow({ epoch: 2, seq: 0, final: true }),
      metricsWindow({ epoch: 0, seq: 0 }),
      metricsWindow({ epoch: 1, seq: 0 }),
    ];
    for (const window of windows) await store().applyWindows([window]);
    const report = await reportOf(store());
    expect(report.windows.map(({ epoch, seq }) => [epoch, seq])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 0],
    ]);
    expect(report).toMatchObject(expectedTotals(windows));
  });

  it('finds a session by its id in capitals too', async () => {
    await store().applyWindows([metricsWindow({ sessionId: SESSION_A.toUpperCase() })]);
    expect((await reportOf(store(), SESSION_A.toUpperCase())).sessionId).toBe(SESSION_A);
  });

  it('takes a thousand windows of many sessions in one call', async () => {
    const windows = Array.from({ length: 1000 }, (_, index) =>
      metricsWindow({
        sessionId: `00000000-0000-4000-8000-${String(index % 230).padStart(12, '0')}`,
        userId: index % 230,
        seq: Math.floor(index / 230),
        focusedMs: index,
      }),
    );
    expect(await store().applyWindows(windows)).toEqual({ applied: 1000, repeated: 0 });
    expect(await fixture().query('SELECT COUNT(*) AS n, SUM(focused_ms) AS ms FROM relay_windows')).toEqual([
      { n: 1000, ms: 499_500 },
    ]);
    expect(await fixture().query('SELECT COUNT(*) AS n, SUM(focused_ms) AS ms FROM relay_sessions')).toEqual([
      { n: 230, ms: 499_500 },
    ]);
  });

  it('counts each window once when two gateways bring the same ones at the same time', async () => {
    const other = fixture().open();
    const windows = windowSeries(40);
    const deliveries = windows.flatMap((window) => [store().applyWindows([window]), other.applyWindows([window])]);
    const results = await Promise.all([...deliveries, store().applyWindows(windows), other.applyWindows(windows)]);
    expect(results.reduce((sum, { applied }) => sum + applied, 0)).toBe(40);
    const report = await reportOf(store());
    expect(report).toMatchObject(expectedTotals(windows));
    expect(report.windows).toHaveLength(40);
    await other.close();
  });

  it('adds up to the sum of distinct windows for every order, batching and repetition', async () => {
    const key = fc.record({ epoch: fc.nat({ max: 2 }), seq: fc.nat({ max: 6 }), session: fc.nat({ max: 2 }) });
    const batches = fc.array(fc.array(key, { maxLength: 8 }), { minLength: 1, maxLength: 6 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(batches, async (given) => {
        run += 1;
        const sessionIdOf = (session: number) =>
          `${String(run).padStart(8, '0')}-0000-4000-8000-${String(session).padStart(12, '0')}`;
        const distinct = new Map<string, MetricsWindow>();
        for (const batch of given) {
          const windows = batch.map(({ epoch, seq, session }) =>
            metricsWindow({ sessionId: sessionIdOf(session), epoch, seq, focusedMs: epoch * 1000 + seq * 7 + session }),
          );
          const before = distinct.size;
          for (const window of windows) distinct.set(`${window.sessionId}/${window.epoch}/${window.seq}`, window);
          const result = await store().applyWindows(windows);
          expect(result.applied).toBe(distinct.size - before);
          expect(result.applied + result.repeated).toBe(windows.length);
        }
        for (const sessionId of new Set([...distinct.values()].map((window) => window.sessionId))) {
          const ofSession = [...distinct.values()].filter((window) => window.sessionId === sessionId);
          const report = await reportOf(store(), sessionId);
          expect(report).toMatchObject(expectedTotals(ofSession));
          expect(report.windows).toHaveLength(ofSession.length);
        }
      }),
      { numRuns: kind === 'libsql' ? 40 : 20 },
    );
  });

  it.each([
    ['a fraction of a millisecond', { focusedMs: 0.5 }],
    ['negative time', { unfocusedMs: -1 }],
    ['time beyond the column', { untrackedMs: 2 ** 31 }],
    ['a session id that is no UUID', { sessionId: "x'; DROP TABLE relay_sessions; --" }],
    ['an unknown mode', { mode: 'cloud' as MetricsWindow['mode'] }],
    ['time that is not a number', { unknownMs: Number.NaN }],
  ])('rejects %s, and all of the call with it', async (_what, change) => {
    await expect(store().applyWindows([metricsWindow({ seq: 1 }), metricsWindow(change)])).rejects.toMatchObject({
      code: 'store_rejected',
    });
    expect(await store().sessionReport(SESSION_A)).toBeNull();
  });

  it("rejects another student's window for a session, and keeps the session as it was", async () => {
    const window = metricsWindow();
    await store().applyWindows([window]);
    const foreign = metricsWindow({ seq: 1, userId: 8 });
    await expect(store().applyWindows([foreign])).rejects.toMatchObject({ code: 'store_rejected' });
    await expect(store().applyWindows([metricsWindow({ seq: 2 }), foreign])).rejects.toMatchObject({
      code: 'store_rejected',
    });
    expect(await reportOf(store())).toMatchObject(expectedTotals([window]));
  });

  it('says that it is unreachable, and continues where it was', async () => {
    const [first, second] = [metricsWindow({ seq: 0 }), metricsWindow({ seq: 1 })];
    await store().applyWindows([first]);
    await fixture().cutOff();
    await expect(store().applyWindows([second])).rejects.toMatchObject({ code: 'store_unreachable' });
    await fixture().restore();
    await store().ping();
    expect(await store().applyWindows([first, second])).toEqual({ applied: 1, repeated: 1 });
    expect(await reportOf(store())).toMatchObject(expectedTotals([first, second]));
  });

  it('is unreachable once it is closed', async () => {
    const closed = fixture().open();
    await closed.close();
    await expect(closed.ping()).rejects.toMatchObject({ code: 'store_unreachable' });
  });

  it('shows sessions to teachers with shares in percent', async () => {
    await store().applyWindows(windowSeries(4, { final: true }));
    const [row] = await fixture().query('SELECT * FROM relay_report_sessions');
    expect(row).toMatchObject({
      session_uuid: SESSION_A,
      user_id: 7,
      window_count: 4,
      is_final: 1,
      tracked_ms: 112_000,
      focused_ms: 81_000,
      focused_share_percent: 72.32,
      untracked_share_percent: 6.67,
      frames_with_face_percent: 94.59,
      focused_bout_count: 4,
      unfocused_bout_count: 4,
      longest_focused_bout_ms: 20_250,
    });
    expect(String(row?.started_at_utc)).toMatch(/^2026-03-02 08:00:00/);
    expect(row?.gateway_ms_mean).toBeCloseTo(0.2534, 4);
  });

  it('shows no share of a session in which nothing was tracked', async () => {
    const nothing = { focusedMs: 0, unfocusedMs: 0, unknownMs: 0, untrackedMs: 30_000, directionMs: {}, bouts: [] };
    await store().applyWindows([metricsWindow({ ...nothing, framesProcessed: 0, framesWithFace: 0, gatewayMsSum: 0 })]);
    expect(await fixture().query('SELECT * FROM relay_report_sessions')).toMatchObject([
      { tracked_ms: 0, focused_share_percent: null, frames_with_face_percent: null, gateway_ms_mean: null },
    ]);
  });
});
