import type { Mode, Rule } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';
import type { MetricsWindow, Suspect } from '../../shared/metrics-window.ts';
import { type SessionDelta, type SummedColumn, sessionDelta, windowKey } from './records.ts';
import { parseMetricsWindow } from './window-schema.ts';

/** The windows of one session within a batch, in the order they were given, each key once. */
export interface SessionBatch {
  readonly sessionUuid: string;
  readonly windows: readonly [MetricsWindow, ...MetricsWindow[]];
}

/** Range of sequence numbers that a batch holds of one epoch of one session. */
export interface KeyRange<Id = number> {
  readonly sessionId: Id;
  readonly epoch: number;
  readonly minSeq: number;
  readonly maxSeq: number;
}

/** A session's row as far as a batch needs it. */
export interface KnownSession {
  readonly id: number;
  readonly userId: number;
  /** Windows that the ledger already has of it. */
  readonly windowCount: number;
  /** End of the latest of them, UTC ms. */
  readonly endedAtMs: number;
}

/** The time that the ledger's windows of one epoch of a session cover, UTC ms. */
export interface EpochSpan {
  readonly sessionId: number | string;
  readonly epoch: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** What a batch adds to one row of relay_hours; the row is the one of `minuteStartMs`. */
export interface HourAddition extends Record<SummedColumn, number> {
  readonly minuteStartMs: number;
  readonly userId: number;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly sessionCount: number;
  readonly windowCount: number;
  readonly focusedBoutCount: number;
  readonly unfocusedBoutCount: number;
  readonly longestFocusedBoutMs: number;
}

/** A window with its session's row id. */
export interface PlacedWindow {
  readonly sessionId: number;
  readonly window: MetricsWindow;
}

/** What a batch adds to one session's row, with all that the row needs besides. */
export interface SessionAddition extends Omit<SessionDelta, 'sums'>, Record<SummedColumn, number> {
  readonly id: number;
  readonly sessionUuid: string;
  readonly userId: number;
  readonly moduleId: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Of its latest window. */
  readonly mode: Mode;
  readonly rule: Rule;
  readonly suspect: Suspect | null;
}

/**
 * Checks the windows and splits them by session, sorted by session id so that two gateways lock rows
 * in the same order. Throws `store_rejected` for a window no store can hold and for a session that
 * belongs to two students.
 */
export function sessionBatches(windows: readonly MetricsWindow[]): SessionBatch[] {
  const bySession = new Map<string, [MetricsWindow, ...MetricsWindow[]]>();
  const keys = new Set<string>();
  for (const given of windows) {
    const window = parseMetricsWindow(given);
    const key = windowKey(window);
    if (keys.has(key)) continue;
    keys.add(key);
    const batch = bySession.get(window.sessionId);
    if (batch === undefined) {
      bySession.set(window.sessionId, [window]);
      continue;
    }
    assertSameStudent(window, batch[0].userId);
    batch.push(window);
  }
  return [...bySession]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([sessionUuid, ofSession]) => ({ sessionUuid, windows: ofSession }));
}

/** Throws `store_rejected` when a session's window names another student than the session's row. */
function assertSameStudent(window: MetricsWindow, userId: number): void {
  if (window.userId === userId) return;
  throw new RelayError(
    'store_rejected',
    `session ${window.sessionId} belongs to student ${userId}, not to student ${window.userId}`,
  );
}

/** Row of a session that is seen for the first time; its totals start at 0. */
export function newSession({ sessionUuid, windows: [first] }: SessionBatch) {
  return {
    sessionUuid,
    userId: first.userId,
    moduleId: first.moduleId,
    startedAtMs: first.sessionStartedAtMs,
    endedAtMs: first.endedAtMs,
    mode: first.mode,
    rule: first.rule,
  };
}

/** All windows of the batches under their sessions' row ids. Throws as assertSameStudent does. */
export function placeWindows(
  batches: readonly SessionBatch[],
  known: ReadonlyMap<string, KnownSession>,
): PlacedWindow[] {
  return batches.flatMap(({ sessionUuid, windows }) => {
    const session = known.get(sessionUuid);
    if (session === undefined) throw new Error(`session ${sessionUuid} has no row`);
    return windows.map((window) => {
      assertSameStudent(window, session.userId);
      return { sessionId: session.id, window };
    });
  });
}

/** The ranges in which these keys may already be in the ledger, one for each session and epoch. */
export function keyRanges<Id>(
  keys: Iterable<{ readonly sessionId: Id; readonly epoch: number; readonly seq: number }>,
): KeyRange<Id>[] {
  const ranges = new Map<string, KeyRange<Id>>();
  for (const { sessionId, epoch, seq } of keys) {
    const key = `${sessionId}/${epoch}`;
    const range = ranges.get(key);
    ranges.set(key, {
      sessionId,
      epoch,
      minSeq: Math.min(range?.minSeq ?? seq, seq),
      maxSeq: Math.max(range?.maxSeq ?? seq, seq),
    });
  }
  return [...ranges.values()];
}

/** The windows whose keys are not among those that the ledger has. */
export function withoutKnown(
  placed: readonly PlacedWindow[],
  known: readonly { readonly sessionId: number; readonly epoch: number; readonly seq: number }[],
): PlacedWindow[] {
  const keys = new Set(known.map(windowKey));
  return placed.filter(({ sessionId, window: { epoch, seq } }) => !keys.has(windowKey({ sessionId, epoch, seq })));
}

type EpochWindow = Pick<MetricsWindow, 'epoch' | 'startedAtMs' | 'endedAtMs'>;

/**
 * True for a late word: a window whose time a later epoch of the session covers. Another gateway has taken the session over
 * from before it, so it counts for nothing.
 */
export function isLateWord(window: EpochWindow, spans: readonly EpochWindow[]): boolean {
  return spans.some(
    ({ epoch, startedAtMs, endedAtMs }) =>
      epoch > window.epoch && startedAtMs < window.endedAtMs && endedAtMs > window.startedAtMs,
  );
}

/** Row ids of sessions that have windows which may be late words: they begin before the latest of the ledger ends. */
export function sessionsInDoubt(fresh: readonly PlacedWindow[], known: ReadonlyMap<string, KnownSession>): number[] {
  const ids = fresh.flatMap(({ sessionId, window }) => {
    const session = known.get(window.sessionId);
    return session !== undefined && session.windowCount > 0 && window.startedAtMs < session.endedAtMs
      ? [sessionId]
      : [];
  });
  return [...new Set(ids)];
}

/** The windows that are no late words, by what the ledger has and by those before them. */
export function withoutLateWords(fresh: readonly PlacedWindow[], spans: readonly EpochSpan[]): PlacedWindow[] {
  const bySession = new Map<number | string, EpochWindow[]>();
  for (const span of spans) bySession.set(span.sessionId, [...(bySession.get(span.sessionId) ?? []), span]);
  return fresh.filter(({ sessionId, window }) => {
    const covered = bySession.get(sessionId) ?? [];
    if (isLateWord(window, covered)) return false;
    bySession.set(sessionId, [...covered, window]);
    return true;
  });
}

/** What new windows add to their sessions, one entry for each session. */
export function sessionAdditions(fresh: readonly PlacedWindow[]): SessionAddition[] {
  const bySession = new Map<number, [MetricsWindow, ...MetricsWindow[]]>();
  for (const { sessionId, window } of fresh) {
    const list = bySession.get(sessionId);
    if (list === undefined) bySession.set(sessionId, [window]);
    else list.push(window);
  }
  return [...bySession].map(([id, list]) => {
    const { sums, ...rest } = sessionDelta(list);
    const [first] = list;
    const latest = list.reduce((a, b) => (b.endedAtMs >= a.endedAtMs ? b : a));
    return {
      id,
      sessionUuid: first.sessionId,
      userId: first.userId,
      moduleId: first.moduleId,
      startedAtMs: first.sessionStartedAtMs,
      endedAtMs: latest.endedAtMs,
      mode: latest.mode,
      rule: latest.rule,
      suspect: list.find(({ suspect }) => suspect !== null)?.suspect ?? null,
      ...rest,
      ...sums,
    };
  });
}

/** Every offset of a time zone is a multiple of this, so a minute lies in one hour of one day, whatever the zone. */
export const MINUTE_MS = 60_000;

/** A lesson section as a key: a positive id, or 0 for none. */
export function sectionKeyOf(sectionId: number | null): number {
  return sectionId !== null && sectionId > 0 ? sectionId : 0;
}

interface HourGroup {
  readonly minute: number;
  readonly place: MetricsWindow;
  readonly windows: MetricsWindow[];
  begun: number;
}

/**
 * What new windows add to the hours' totals, sorted so that two gateways lock rows in the same order.
 * A session of which `known` has no window yet counts as begun at its start, in the section of its first window here.
 */
export function hourAdditions(
  fresh: readonly PlacedWindow[],
  known: ReadonlyMap<string, KnownSession>,
): HourAddition[] {
  const groups = new Map<string, HourGroup>();
  const groupOf = (place: MetricsWindow, atMs: number): HourGroup => {
    const minute = Math.floor(atMs / MINUTE_MS);
    const key = `${place.userId}/${minute}/${place.moduleId}/${sectionKeyOf(place.sectionId)}`;
    const group = groups.get(key) ?? { minute, place, windows: [], begun: 0 };
    groups.set(key, group);
    return group;
  };
  const begun = new Set<string>();
  for (const window of fresh.map((placed) => placed.window).sort((a, b) => a.startedAtMs - b.startedAtMs)) {
    groupOf(window, window.startedAtMs).windows.push(window);
    if (known.get(window.sessionId)?.windowCount !== 0 || begun.has(window.sessionId)) continue;
    begun.add(window.sessionId);
    groupOf(window, window.sessionStartedAtMs).begun += 1;
  }
  return [...groups.values()]
    .map(({ minute, place, windows, begun: sessionCount }) => {
      const { sums, ...delta } = sessionDelta(windows);
      return {
        minuteStartMs: minute * MINUTE_MS,
        userId: place.userId,
        moduleId: place.moduleId,
        sectionKey: sectionKeyOf(place.sectionId),
        sessionCount,
        windowCount: delta.windowCount,
        focusedBoutCount: delta.focusedBoutCount,
        unfocusedBoutCount: delta.unfocusedBoutCount,
        longestFocusedBoutMs: delta.longestFocusedBoutMs,
        ...sums,
      };
    })
    .sort(
      (a, b) =>
        a.userId - b.userId ||
        a.minuteStartMs - b.minuteStartMs ||
        a.moduleId - b.moduleId ||
        a.sectionKey - b.sectionKey,
    );
}

/** Cuts a list into pieces of at most `size`, so that no statement outgrows what a database takes. */
export function chunksOf<T>(list: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < list.length; start += size) chunks.push(list.slice(start, start + size));
  return chunks;
}
