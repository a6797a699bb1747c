import { DIRECTIONS, type Direction, type Mode, type Rule } from '../../shared/direction.ts';
import type { Bout, MetricsWindow, SideTimes, Suspect } from '../../shared/metrics-window.ts';
import type { SessionReport } from './port.ts';

/** Property (in both Drizzle schemas) that holds the time of a direction. */
export const DIRECTION_COLUMNS = {
  centered: 'centeredMs',
  looking_left: 'lookingLeftMs',
  looking_right: 'lookingRightMs',
  looking_up: 'lookingUpMs',
  looking_down: 'lookingDownMs',
  face_turned: 'faceTurnedMs',
  eyes_closed: 'eyesClosedMs',
  no_face: 'noFaceMs',
  distracted: 'distractedMs',
  unknown: 'unknownDirectionMs',
} as const satisfies Record<Direction, string>;

/** Columns that a session's row adds up over its windows. Durations in whole ms. */
export const SUMMED_COLUMNS = [
  'focusedMs',
  'unfocusedMs',
  'unknownMs',
  'untrackedMs',
  'lateMs',
  ...DIRECTIONS.map((direction) => DIRECTION_COLUMNS[direction]),
  'framesReceived',
  'framesProcessed',
  'framesDropped',
  'framesWithFace',
  'upBytes',
  'downBytes',
  'gatewayMsSum',
  'pausedHiddenMs',
  'pausedStudentMs',
  'pausedCameraMs',
  'secondFaceMs',
] as const;

export type SummedColumn = (typeof SUMMED_COLUMNS)[number];
type Sums = Record<SummedColumn, number>;
type DirectionSums = Record<(typeof DIRECTION_COLUMNS)[Direction], number>;

/** A row of relay_windows, in both databases. */
export interface WindowRow extends Sums {
  sessionId: number;
  epoch: number;
  seq: number;
  userId: number;
  moduleId: number;
  sectionId: number | null;
  startedAtMs: number;
  endedAtMs: number;
  isFinal: number;
  mode: string;
  rule: string;
  calibrationVersion: number | null;
  calibratedAtMs: number | null;
  suspect: string | null;
}

/** A row of relay_bouts as a window has it; the day and hour are the database's to say. */
export interface PlacedBoutRow extends BoutRow {
  userId: number;
  moduleId: number;
  sectionId: number | null;
}

/** What the report needs of a row of relay_bouts, in both databases. */
export interface BoutRow {
  sessionId: number;
  epoch: number;
  seq: number;
  boutNo: number;
  kind: string;
  startedAtMs: number;
  durationMs: number;
}

/** What the report needs of a row of the view relay_report_sessions. */
export interface SessionRow extends Omit<Sums, 'gatewayMsSum'> {
  sessionUuid: string;
  userId: number;
  moduleId: number;
  startedAtMs: number;
  endedAtMs: number;
  isFinal: number;
  suspect: string | null;
}

/** What new windows add to a row of totals. */
export interface SessionDelta {
  readonly sums: Readonly<Sums>;
  readonly windowCount: number;
  readonly focusedBoutCount: number;
  readonly unfocusedBoutCount: number;
  readonly longestFocusedBoutMs: number;
  readonly isFinal: number;
}

/** Identity of a window within its store: the ledger's key. */
export function windowKey(window: { sessionId: string | number; epoch: number; seq: number }): string {
  return `${window.sessionId}/${window.epoch}/${window.seq}`;
}

function sideTimesOf({ pausedHiddenMs, pausedStudentMs, pausedCameraMs, secondFaceMs }: SideTimes): SideTimes {
  return { pausedHiddenMs, pausedStudentMs, pausedCameraMs, secondFaceMs };
}

function sumsOf(window: MetricsWindow): Sums {
  const directions = Object.fromEntries(
    DIRECTIONS.map((direction) => [DIRECTION_COLUMNS[direction], window.directionMs[direction] ?? 0]),
  ) as DirectionSums;
  return {
    focusedMs: window.focusedMs,
    unfocusedMs: window.unfocusedMs,
    unknownMs: window.unknownMs,
    untrackedMs: window.untrackedMs,
    lateMs: window.lateMs,
    ...directions,
    framesReceived: window.framesReceived,
    framesProcessed: window.framesProcessed,
    framesDropped: window.framesDropped,
    framesWithFace: window.framesWithFace,
    upBytes: window.bytesUp,
    downBytes: window.bytesDown,
    gatewayMsSum: window.gatewayMsSum,
    ...sideTimesOf(window),
  };
}

/** The window as a row of relay_windows under the session's row id. */
export function windowRow(window: MetricsWindow, sessionRowId: number): WindowRow {
  return {
    sessionId: sessionRowId,
    epoch: window.epoch,
    seq: window.seq,
    userId: window.userId,
    moduleId: window.moduleId,
    sectionId: window.sectionId,
    startedAtMs: window.startedAtMs,
    endedAtMs: window.endedAtMs,
    isFinal: window.final ? 1 : 0,
    mode: window.mode,
    rule: window.rule,
    calibrationVersion: window.calibrationVersion,
    calibratedAtMs: window.calibratedAtMs,
    suspect: window.suspect,
    ...sumsOf(window),
  };
}

/** The window's bouts as rows of relay_bouts, numbered in their order. */
export function boutRows(window: MetricsWindow, sessionRowId: number): PlacedBoutRow[] {
  return window.bouts.map((bout, boutNo) => ({
    sessionId: sessionRowId,
    epoch: window.epoch,
    seq: window.seq,
    boutNo,
    ...bout,
    userId: window.userId,
    moduleId: window.moduleId,
    sectionId: window.sectionId,
  }));
}

/** Sum of windows. */
export function sessionDelta(windows: readonly MetricsWindow[]): SessionDelta {
  const sums = Object.fromEntries(SUMMED_COLUMNS.map((column) => [column, 0])) as Sums;
  for (const window of windows) {
    const more = sumsOf(window);
    for (const column of SUMMED_COLUMNS) sums[column] += more[column];
  }
  const bouts = windows.flatMap((window) => window.bouts);
  const focused = bouts.filter((bout) => bout.kind === 'focused');
  return {
    sums,
    windowCount: windows.length,
    focusedBoutCount: focused.length,
    unfocusedBoutCount: bouts.length - focused.length,
    longestFocusedBoutMs: focused.reduce((longest, bout) => Math.max(longest, bout.durationMs), 0),
    isFinal: windows.some((window) => window.final) ? 1 : 0,
  };
}

function directionMsOf(row: DirectionSums): Partial<Record<Direction, number>> {
  return Object.fromEntries(
    DIRECTIONS.map((direction) => [direction, row[DIRECTION_COLUMNS[direction]]] as const).filter(([, ms]) => ms > 0),
  );
}

function boutOf(row: BoutRow): Bout {
  return {
    kind: row.kind === 'focused' ? 'focused' : 'unfocused',
    startedAtMs: row.startedAtMs,
    durationMs: row.durationMs,
  };
}

function windowOf(row: WindowRow, session: SessionRow, bouts: readonly Bout[]): MetricsWindow {
  return {
    sessionId: session.sessionUuid,
    epoch: row.epoch,
    seq: row.seq,
    userId: row.userId,
    moduleId: row.moduleId,
    sectionId: row.sectionId,
    sessionStartedAtMs: session.startedAtMs,
    startedAtMs: row.startedAtMs,
    endedAtMs: row.endedAtMs,
    focusedMs: row.focusedMs,
    unfocusedMs: row.unfocusedMs,
    unknownMs: row.unknownMs,
    untrackedMs: row.untrackedMs,
    directionMs: directionMsOf(row),
    bouts,
    framesReceived: row.framesReceived,
    framesProcessed: row.framesProcessed,
    framesDropped: row.framesDropped,
    framesWithFace: row.framesWithFace,
    bytesUp: row.upBytes,
    bytesDown: row.downBytes,
    gatewayMsSum: row.gatewayMsSum,
    lateMs: row.lateMs,
    ...sideTimesOf(row),
    suspect: row.suspect as Suspect | null,
    mode: row.mode as Mode,
    rule: row.rule as Rule,
    calibrationVersion: row.calibrationVersion,
    calibratedAtMs: row.calibratedAtMs,
    final: row.isFinal !== 0,
  };
}

/** The report of one session from its rows; windows and bouts must be in order of their keys. */
export function sessionReport(
  session: SessionRow,
  windows: readonly WindowRow[],
  bouts: readonly BoutRow[],
): SessionReport {
  const boutsByWindow = new Map<string, Bout[]>();
  for (const row of bouts) {
    const key = windowKey(row);
    boutsByWindow.set(key, [...(boutsByWindow.get(key) ?? []), boutOf(row)]);
  }
  return {
    sessionId: session.sessionUuid,
    userId: session.userId,
    moduleId: session.moduleId,
    startedAtMs: session.startedAtMs,
    endedAtMs: session.endedAtMs,
    final: session.isFinal !== 0,
    focusedMs: session.focusedMs,
    unfocusedMs: session.unfocusedMs,
    unknownMs: session.unknownMs,
    untrackedMs: session.untrackedMs,
    directionMs: directionMsOf(session),
    framesReceived: session.framesReceived,
    framesProcessed: session.framesProcessed,
    framesDropped: session.framesDropped,
    framesWithFace: session.framesWithFace,
    bytesUp: session.upBytes,
    bytesDown: session.downBytes,
    lateMs: session.lateMs,
    ...sideTimesOf(session),
    suspect: session.suspect as Suspect | null,
    bouts: bouts.map(boutOf),
    windows: windows.map((row) => windowOf(row, session, boutsByWindow.get(windowKey(row)) ?? [])),
  };
}
