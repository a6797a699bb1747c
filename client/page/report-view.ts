import type { Chart } from 'chart.js';
import { FOCUS_STATES } from '../../shared/direction.ts';
import { byId, create, setText } from './dom.ts';
import { dataAmount, duration, percent, share, tenthsTime } from './format.ts';
import { showProportion, type Times, trackedMs } from './proportion.ts';
import {
  directionShares,
  type Report,
  summariseBouts,
  type TimelineBar,
  timeline,
  timesOfReport,
} from './report-data.ts';
import { drawTimeline, STATE_LABELS, sinceStart } from './timeline-chart.ts';
import { REPORT_DIRECTIONS } from './words.ts';

const MOST_BARS = 60;
let chart: Chart | null = null;

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
  const whole = tracked + times.untracked;
  const rows = FOCUS_STATES.map((state) => {
    const name = create('th');
    name.scope = 'row';
    const label = create('span', '', 'named');
    const key = create('span', '', `key ${state}`);
    key.setAttribute('aria-hidden', 'true');
    label.append(key, STATE_LABELS[state]);
    name.append(label);
    return row(name, tenthsTime(times[state]), percent(share(times[state], whole)));
  });
  const sumName = create('th', 'Together');
  sumName.scope = 'row';
  // The sum of the rows as printed, not of what was rounded off them.
  const printed = FOCUS_STATES.reduce((ms, state) => ms + Math.round(times[state] / 100) * 100, 0);
  const sum = row(sumName, tenthsTime(printed), '');
  sum.className = 'sum';
  byId('totals', HTMLElement).replaceChildren(...rows, sum);
}

function row(name: HTMLElement, ...cells: readonly string[]): HTMLTableRowElement {
  const element = create('tr');
  element.append(name, ...cells.map((text) => create('td', text)));
  return element;
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
      const name = create('th', sinceStart(startedAtMs - report.startedAtMs));
      name.scope = 'row';
      return row(
        name,
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
    const name = create('th');
    name.scope = 'row';
    const label = create('span', '', 'named');
    const key = create('span', '', `key ${kind}`);
    key.setAttribute('aria-hidden', 'true');
    label.append(key, STATE_LABELS[kind]);
    name.append(label);
    return row(name, String(count), duration(medianMs), duration(longestMs));
  });
  byId('bouts', HTMLTableElement).tBodies[0]?.replaceChildren(...rows);
}

function showDirections(report: Report): void {
  const rows = directionShares(report).map(({ direction, share: part, ms }) => {
    const item = create('li');
    const bar = create('span', '', 'bar');
    const fill = create('span');
    fill.style.width = `${part * 100}%`;
    bar.append(fill);
    item.append(
      create('span', REPORT_DIRECTIONS[direction]),
      create('span', `${percent(part)} · ${duration(ms)}`),
      bar,
    );
    return item;
  });
  byId('directions', HTMLElement).replaceChildren(...rows);
  setText(
    byId('direction-note', HTMLElement),
    rows.length === 0 ? 'No gaze was measured.' : "Share of tracked time. Left and right are the student's own.",
  );
}

function showQuality(report: Report, times: Times): void {
  const whole = trackedMs(times) + times.untracked;
  const tiles: readonly (readonly [string, string])[] = [
    ['Messages received', String(report.framesReceived)],
    ['Processed', `${report.framesProcessed} (${percent(share(report.framesProcessed, report.framesReceived))})`],
    ['Dropped', String(report.framesDropped)],
    ['With a face', `${report.framesWithFace} (${percent(share(report.framesWithFace, report.framesProcessed))})`],
    ['Not tracked', percent(share(times.untracked, whole))],
    ['Could not be told', percent(share(times.unknown, trackedMs(times)))],
    ['Data up', dataAmount(report.bytesUp)],
    ['Data down', dataAmount(report.bytesDown)],
  ];
  byId('quality', HTMLElement).replaceChildren(
    ...tiles.map(([name, value]) => {
      const tile = create('div');
      tile.append(create('dt', name), create('dd', value));
      return tile;
    }),
  );
  setText(byId('quality-note', HTMLElement), judgement(report, times));
}

/** One sentence on how far the numbers can be trusted. */
function judgement(report: Report, times: Times): string {
  const untracked = share(times.untracked, trackedMs(times) + times.untracked);
  const unknown = share(times.unknown, trackedMs(times));
  if (report.framesProcessed === 0) return 'No picture was looked at: these numbers say nothing about the student.';
  if ((untracked ?? 0) > 0.2) return 'Much of the session was not tracked: read the focus share with care.';
  if ((unknown ?? 0) > 0.2)
    return 'Much of the tracked time could not be judged: light, distance or the camera were in the way.';
  return 'Good enough to rely on: most of the session was tracked and could be judged.';
}
