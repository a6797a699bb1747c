import { FOCUS_STATES } from '../../shared/direction.ts';
import { byId, setText } from './dom.ts';
import { duration, percent, share } from './format.ts';
import { showProportion, type Times, trackedMs } from './proportion.ts';
import {
  placementWords,
  type Report,
  summariseBouts,
  type TimelineBar,
  timeline,
  timesOfReport,
} from './report-data.ts';
import { directionItems, judgement, qualityTiles, row, rowHeading, stateHeading, totalsRows } from './report-parts.ts';
import type { DrawnChart } from './stack-chart.ts';
import { drawTimeline, sinceStart } from './timeline-chart.ts';

const MOST_BARS = 60;
let chart: DrawnChart | null = null;

/** Fills the report page. May be called again, for fresher data or other colours. */
export function showReport(report: Report): void {
  const times = timesOfReport(report);
  showHead(report);
  showSummary(times);
  showTimeline(report);
  showBouts(report);
  showDirections(report);
  showQuality(report, times);
  byId('report', HTMLElement).hidden = false;
}

function showHead(report: Report): void {
  const when = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });
  const parts = [
    when.format(report.startedAtMs),
    duration(report.endedAtMs - report.startedAtMs),
    `student ${report.userId}`,
    `module ${report.moduleId}`,
  ];
  const placement = placementWords(report.windows, duration);
  if (placement !== null) parts.push(placement);
  if (!report.final) parts.push('still open');
  setText(byId('report-meta', HTMLElement), parts.join(' · '));
}

function showSummary(times: Times): void {
  const tracked = trackedMs(times);
  setText(byId('focus-share', HTMLElement), percent(share(times.focused, tracked)));
  setText(
    byId('focus-share-note', HTMLElement),
    tracked === 0 ? 'No time was tracked in this session.' : `focused, of ${duration(tracked)} of tracked time`,
  );
  showProportion(byId('proportion', HTMLElement), times);
  byId('totals', HTMLElement).replaceChildren(...totalsRows(times));
}

function showTimeline(report: Report): void {
  const bars = timeline(report.windows, MOST_BARS);
  const canvas = byId('timeline', HTMLCanvasElement);
  chart?.destroy();
  chart = drawTimeline(canvas, bars, report.startedAtMs);
  const first = bars[0];
  setText(
    byId('timeline-note', HTMLElement),
    first === undefined
      ? 'Nothing is stored yet'
      : `${bars.length} ${bars.length === 1 ? 'interval' : 'intervals'} of up to ${duration(longest(bars))}`,
  );
  const share0 = percent(share(report.focusedMs, trackedMs(timesOfReport(report))));
  canvas.setAttribute(
    'aria-label',
    `Bar chart over ${bars.length} intervals of the session; ${share0} of tracked time focused. The table below has the numbers.`,
  );
  const body = byId('windows', HTMLTableElement).tBodies[0];
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  body?.replaceChildren(
    ...bars.map(({ startedAtMs, sectionId, times }) => {
      return row(
        rowHeading(sinceStart(startedAtMs - report.startedAtMs)),
        sectionId === null ? '–' : String(sectionId),
        ...FOCUS_STATES.map((state) => seconds(times[state])),
      );
    }),
  );
}

function longest(bars: readonly TimelineBar[]): number {
  return Math.max(...bars.map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs));
}

function showBouts(report: Report): void {
  const rows = (['focused', 'unfocused'] as const).map((kind) => {
    const { count, medianMs, longestMs } = summariseBouts(report.bouts, kind);
    return row(stateHeading(kind), String(count), duration(medianMs), duration(longestMs));
  });
  byId('bouts', HTMLTableElement).tBodies[0]?.replaceChildren(...rows);
}

function showDirections(report: Report): void {
  const items = directionItems(report);
  byId('directions', HTMLElement).replaceChildren(...items);
  setText(
    byId('direction-note', HTMLElement),
    items.length === 0 ? 'No gaze was measured.' : "Share of tracked time. Left and right are the student's own.",
  );
}

function showQuality(report: Report, times: Times): void {
  byId('quality', HTMLElement).replaceChildren(...qualityTiles(report, times));
  setText(byId('quality-note', HTMLElement), judgement(report, times));
}
