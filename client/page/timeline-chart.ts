import type { TimelineBar } from './report-data.ts';
import { type DrawnChart, drawStack } from './stack-chart.ts';

/** Draws the timeline, each bar the seconds of one interval by kind of time. Returns the chart. */
export function drawTimeline(canvas: HTMLCanvasElement, bars: readonly TimelineBar[], originMs: number): DrawnChart {
  return drawStack(canvas, {
    labels: bars.map(({ startedAtMs }) => sinceStart(startedAtMs - originMs)),
    bars: bars.map(({ times }) => times),
    unitMs: 1000,
    unit: 'Seconds',
    along: 'Time since the session began',
    title: (index) => intervalTitle(bars[index], originMs),
  });
}

function intervalTitle(bar: TimelineBar | undefined, originMs: number): string {
  if (bar === undefined) return '';
  const section = bar.sectionId === null ? '' : ` · section ${bar.sectionId}`;
  return `${sinceStart(bar.startedAtMs - originMs)} – ${sinceStart(bar.endedAtMs - originMs)}${section}`;
}

/** Time since the session's start, `m:ss`. */
export function sinceStart(ms: number): string {
  const seconds = Math.round(Math.max(0, ms) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
