import '../strict-csp.ts';
import * as z from 'zod';
import { DIRECTIONS, type Direction, FOCUS_STATES, type FocusState } from '../../shared/direction.ts';
import { type Report, type ReportWindow, reportSchema } from '../../shared/report/session.ts';
import { type Times, trackedMs } from './proportion.ts';

export type { Report, ReportWindow };

/** Reads the body of `GET /api/v1/sessions/{id}`; null when it is no report. */
export function parseReport(body: unknown): Report | null {
  const result = z.object({ report: reportSchema }).safeParse(body);
  return result.success ? result.data.report : null;
}

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

/** Where pictures were looked at, in words, with the tracked time of each where it was both; null without tracked time. */
export function placementWords(windows: readonly ReportWindow[], lengthOf: (ms: number) => string): string | null {
  const ms = { server: 0, device: 0 };
  for (const window of windows) ms[window.mode] += trackedMs(timesOfReport(window));
  if (ms.server === 0 && ms.device === 0) return null;
  if (ms.device === 0) return 'looked at by the server';
  if (ms.server === 0) return 'looked at on the student’s device';
  return `looked at by the server (${lengthOf(ms.server)}) and on the student’s device (${lengthOf(ms.device)})`;
}
