import type { FocusState } from '../../shared/direction.ts';
import type { Report } from '../../shared/report/session.ts';

/** A stretch of a session. UTC ms. */
export interface Stretch {
  readonly kind: FocusState | 'paused';
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** Shorter holes between bouts are where the clocks of windows and bouts were rounded. */
const SHORTEST_MS = 250;

/** What a moment between two bouts was, by the window that it lies in. */
function kindBetween(report: Report, fromMs: number, toMs: number): Stretch['kind'] {
  const middle = (fromMs + toMs) / 2;
  const window = report.windows.find(({ startedAtMs, endedAtMs }) => middle >= startedAtMs && middle < endedAtMs);
  if (window === undefined) return 'paused';
  return window.untrackedMs >= window.unknownMs ? 'untracked' : 'unknown';
}

/** A session as stretches without holes: its bouts, and between them what could not be judged, was missing or paused. */
export function stretchesOf(report: Report): readonly Stretch[] {
  const bouts = report.bouts
    .map(({ kind, startedAtMs, durationMs }): Stretch => ({ kind, startedAtMs, endedAtMs: startedAtMs + durationMs }))
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  const found: Stretch[] = [];
  const fill = (fromMs: number, toMs: number) => {
    const edges = report.windows
      .flatMap(({ startedAtMs, endedAtMs }) => [startedAtMs, endedAtMs])
      .filter((edge) => edge > fromMs && edge < toMs);
    const cuts = [...new Set([fromMs, ...edges, toMs])].toSorted((a, b) => a - b);
    for (const [index, end] of cuts.slice(1).entries()) {
      const start = cuts[index] ?? fromMs;
      const kind = kindBetween(report, start, end);
      const last = found.at(-1);
      if (last?.kind === kind && last.endedAtMs === start) found[found.length - 1] = { ...last, endedAtMs: end };
      else found.push({ kind, startedAtMs: start, endedAtMs: end });
    }
  };
  let at = report.startedAtMs;
  for (const bout of bouts) {
    if (bout.startedAtMs - at >= SHORTEST_MS) fill(at, bout.startedAtMs);
    found.push(bout);
    at = Math.max(at, bout.endedAtMs);
  }
  if (report.endedAtMs - at >= SHORTEST_MS) fill(at, report.endedAtMs);
  return found;
}
