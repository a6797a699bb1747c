import { DIRECTIONS, type Direction, FOCUS_STATES, type FocusState } from '../../shared/direction.ts';
import type { Report, ReportWindow } from '../../shared/report/session.ts';
import { type Times, trackedMs } from '../page/proportion.ts';

/** Times by kind of a report or of one of its windows. */
export function timesOfReport(part: Pick<Report, 'focusedMs' | 'unfocusedMs' | 'unknownMs' | 'untrackedMs'>): Times {
  return {
    focused: part.focusedMs,
    unfocused: part.unfocusedMs,
    unknown: part.unknownMs,
    untracked: part.untrackedMs,
  };
}

export interface BoutSummary {
  readonly count: number;
  readonly medianMs: number | null;
  readonly longestMs: number | null;
}

/** Number, median and longest of the stretches of one kind; null where there are none. */
export function summariseBouts(bouts: Report['bouts'], kind: 'focused' | 'unfocused'): BoutSummary {
  const lengths = bouts
    .filter((bout) => bout.kind === kind)
    .map(({ durationMs }) => durationMs)
    .sort((a, b) => a - b);
  const upper = lengths[Math.floor(lengths.length / 2)] ?? null;
  const lower = lengths[Math.floor((lengths.length - 1) / 2)] ?? null;
  return {
    count: lengths.length,
    medianMs: upper === null || lower === null ? null : (upper + lower) / 2,
    longestMs: lengths.at(-1) ?? null,
  };
}

export interface DirectionShare {
  readonly direction: Direction;
  readonly ms: number;
  /** Of tracked time, 0–1. */
  readonly share: number;
}

/** Times by kind, and by direction for the tracked part. */
export type TimesByDirection = Pick<Report, 'focusedMs' | 'unfocusedMs' | 'unknownMs' | 'untrackedMs' | 'directionMs'>;

/** Directions by their share of tracked time, the largest first; those never taken are left out. */
export function directionShares(report: TimesByDirection): readonly DirectionShare[] {
  const whole = trackedMs(timesOfReport(report));
  if (whole === 0) return [];
  return DIRECTIONS.map((direction) => ({
    direction,
    ms: report.directionMs[direction] ?? 0,
    share: (report.directionMs[direction] ?? 0) / whole,
  }))
    .filter((row) => row.ms > 0)
    .sort((a, b) => b.ms - a.ms);
}

/** One bar of the timeline. */
export interface TimelineBar {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Null also where the bar covers several sections. */
  readonly sectionId: number | null;
  readonly times: Times;
}

/** The windows of a report as at most `most` bars: neighbours are added up where there are more. */
export function timeline(windows: readonly ReportWindow[], most: number): readonly TimelineBar[] {
  const perBar = Math.max(1, Math.ceil(windows.length / most));
  const bars: TimelineBar[] = [];
  for (let at = 0; at < windows.length; at += perBar) {
    const group = windows.slice(at, at + perBar);
    const first = group[0];
    const last = group.at(-1);
    if (first === undefined || last === undefined) continue;
    bars.push({
      startedAtMs: first.startedAtMs,
      endedAtMs: last.endedAtMs,
      sectionId: group.every(({ sectionId }) => sectionId === first.sectionId) ? first.sectionId : null,
      times: addUp(group),
    });
  }
  return bars;
}

function addUp(windows: readonly ReportWindow[]): Times {
  const sum: Record<FocusState, number> = { focused: 0, unfocused: 0, unknown: 0, untracked: 0 };
  for (const window of windows) {
    const times = timesOfReport(window);
    for (const state of FOCUS_STATES) sum[state] += times[state];
  }
  return sum;
}

/** Where pictures were processed, in words, with the tracked time of each where it was both; null without tracked time. */
export function placementWords(windows: readonly ReportWindow[], lengthOf: (ms: number) => string): string | null {
  const ms = { server: 0, device: 0 };
  for (const window of windows) ms[window.mode] += trackedMs(timesOfReport(window));
  if (ms.server === 0 && ms.device === 0) return null;
  if (ms.device === 0) return 'processed on the server';
  if (ms.server === 0) return 'processed on the student’s device';
  return `processed on the server (${lengthOf(ms.server)}) and on the student’s device (${lengthOf(ms.device)})`;
}

/** Time since the session's start, `m:ss`, to the nearest second. */
export function sinceStart(ms: number): string {
  const seconds = Math.round(Math.max(0, ms) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
