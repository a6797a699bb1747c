import { FOCUS_STATES, type FocusState } from '../../../shared/direction.ts';
import type { Report } from '../../../shared/report/session.ts';
import { clockTime, dataAmount, duration, percent, share, tenthsTime } from '../../page/format.ts';
import { REPORT_DIRECTIONS } from '../../page/labels.ts';
import { type Times, trackedMs } from '../../page/proportion.ts';
import { STATE_LABELS } from '../../page/stack-chart.ts';
import { el } from '../element.ts';
import { directionShares, type TimesByDirection } from '../session-figures.ts';

/** A table row whose first cell is a heading. */
export function row(name: HTMLElement, ...cells: readonly string[]): HTMLTableRowElement {
  return el('tr', {}, name, ...cells.map((text) => el('td', {}, text)));
}

/** Heading of a row about one kind of time, with its colour beside it. */
export function stateHeading(state: FocusState): HTMLTableCellElement {
  const key = el('span', { class: `key ${state}`, 'aria-hidden': 'true' });
  return el('th', { scope: 'row' }, el('span', { class: 'named' }, key, STATE_LABELS[state]));
}

const HOUR_MS = 3_600_000;

/** Rows of time by kind, and their sum as printed: to the tenth of a second, past an hour to the second. */
export function totalsRows(times: Times): readonly HTMLTableRowElement[] {
  const whole = trackedMs(times) + times.untracked;
  const stepMs = whole < HOUR_MS ? 100 : 1000;
  const rounded = (ms: number) => Math.round(ms / stepMs) * stepMs;
  const printed = (ms: number) => (whole < HOUR_MS ? tenthsTime(ms) : clockTime(rounded(ms)));
  const rows = FOCUS_STATES.map((state) =>
    row(stateHeading(state), printed(times[state]), percent(share(times[state], whole))),
  );
  // The sum of the rows as printed, not of what was rounded off them.
  const together = FOCUS_STATES.reduce((ms, state) => ms + rounded(times[state]), 0);
  const sum = row(el('th', { scope: 'row' }, 'Together'), printed(together), '');
  sum.className = 'sum';
  return [...rows, sum];
}

/** List items of where the gaze was, the most first. */
export function directionItems(report: TimesByDirection): readonly HTMLLIElement[] {
  return directionShares(report).map(({ direction, share: part, ms }) => {
    const fill = el('span');
    fill.style.width = `${part * 100}%`;
    return el(
      'li',
      {},
      el('span', {}, REPORT_DIRECTIONS[direction] ?? direction),
      el('span', {}, `${percent(part)} · ${duration(ms)}`),
      el('span', { class: 'bar', 'aria-hidden': 'true' }, fill),
    );
  });
}

/** What a report says of its frames and bytes. */
export type Traffic = Pick<
  Report,
  | 'pausedHiddenMs'
  | 'pausedStudentMs'
  | 'pausedCameraMs'
  | 'secondFaceMs'
  | 'framesReceived'
  | 'framesProcessed'
  | 'framesDropped'
  | 'framesWithFace'
  | 'bytesUp'
  | 'bytesDown'
>;

/** `1,234 (56 %)` that does not break inside of the bracket. */
function partOf(part: number, whole: number): string {
  const inBracket = percent(share(part, whole)).replaceAll(' ', '\u00A0');
  return `${part.toLocaleString()} (${inBracket})`;
}

/** Tiles for a `<dl class="tiles">`: how good the data is. */
export function qualityTiles(report: Traffic, times: Times): readonly HTMLElement[] {
  const whole = trackedMs(times) + times.untracked;
  const tiles: readonly (readonly [string, string])[] = [
    ['Messages received', report.framesReceived.toLocaleString()],
    ['Processed', partOf(report.framesProcessed, report.framesReceived)],
    ['Dropped', report.framesDropped.toLocaleString()],
    ['With a face', partOf(report.framesWithFace, report.framesProcessed)],
    ['Not tracked', percent(share(times.untracked, whole))],
    ['Could not be determined', percent(share(times.unknown, trackedMs(times)))],
    ['More than one face', percent(share(report.secondFaceMs, trackedMs(times)))],
    ['Paused: other tab', duration(report.pausedHiddenMs)],
    ['Paused: by student', duration(report.pausedStudentMs)],
    ['Paused: camera', duration(report.pausedCameraMs)],
    ['Data up', dataAmount(report.bytesUp)],
    ['Data down', dataAmount(report.bytesDown)],
  ];
  return tiles.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)));
}

/** One sentence on how far the numbers can be trusted. */
export function judgement(report: Traffic, times: Times): string {
  const untracked = share(times.untracked, trackedMs(times) + times.untracked);
  const unknown = share(times.unknown, trackedMs(times));
  if (report.framesProcessed === 0) return 'No picture was processed: these numbers say nothing about the student.';
  if ((untracked ?? 0) > 0.2) return 'Much of the time was not tracked: read the focus share with care.';
  if ((unknown ?? 0) > 0.2)
    return 'Much of the tracked time could not be judged: light, distance or the camera were in the way.';
  return 'Good enough to rely on: most of the time was tracked and could be judged.';
}
