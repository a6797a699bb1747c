import type { Report, SessionNames } from '../../../shared/report/session.ts';
import { clockTime, duration } from '../../page/format.ts';
import { STATE_LABELS } from '../../page/stack-chart.ts';
import { el, svg } from '../element.ts';
import { sectionName } from '../labels.ts';
import { type Stretch, stretchesOf } from '../stretches.ts';
import { dataTable } from './table.ts';

/** How tall a state stands in the strip, of 100: states differ by more than their colour. */
const HEIGHTS = { focused: 100, unfocused: 62, unknown: 34, untracked: 34, paused: 0 } as const;

/** Stretches of one lesson section each, in order. */
function visitsOf(report: Report) {
  const visits: { sectionId: number | null; startedAtMs: number; endedAtMs: number }[] = [];
  for (const { sectionId, startedAtMs, endedAtMs } of report.windows) {
    const last = visits.at(-1);
    if (last !== undefined && last.sectionId === sectionId) last.endedAtMs = endedAtMs;
    else visits.push({ sectionId, startedAtMs, endedAtMs });
  }
  return visits;
}

function labelOf(kind: Stretch['kind']): string {
  return kind === 'paused' ? 'Paused' : STATE_LABELS[kind];
}

/** Lines for what was not tracked, so that it differs by more than its colour. */
function hatch(): SVGElement {
  const size = { width: '6', height: '100' };
  return svg(
    'defs',
    {},
    svg(
      'pattern',
      { id: 'untracked-hatch', patternUnits: 'userSpaceOnUse', ...size },
      svg('rect', { class: 'hatch-base', ...size }),
      svg('line', { class: 'hatch-line', x1: '1', x2: '1', y1: '0', y2: '100' }),
    ),
  );
}

/** The session from left to right: its sections above, what was seen below. */
export function sessionStrip(report: Report, names: SessionNames): HTMLElement {
  const whole = Math.max(1, report.endedAtMs - report.startedAtMs);
  const percentAt = (utcMs: number) => ((utcMs - report.startedAtMs) / whole) * 100;
  const stretches = stretchesOf(report);
  const sections = el('div', { class: 'strip-sections', 'aria-hidden': 'true' });
  for (const visit of visitsOf(report)) {
    const title = visit.sectionId === null ? null : (names.sections[String(visit.sectionId)] ?? null);
    const text = sectionName(title, visit.sectionId);
    const box = el('span', { class: 'strip-section', title: text }, text);
    box.style.left = `${percentAt(visit.startedAtMs)}%`;
    box.style.width = `${percentAt(visit.endedAtMs) - percentAt(visit.startedAtMs)}%`;
    sections.append(box);
  }
  const bars = stretches
    .filter(({ kind }) => kind !== 'paused')
    .map(({ kind, startedAtMs, endedAtMs }) => {
      const height = HEIGHTS[kind];
      const text = `${labelOf(kind)}, ${clockTime(startedAtMs - report.startedAtMs)}, ${duration(endedAtMs - startedAtMs)}`;
      return svg(
        'rect',
        {
          class: `strip-${kind}`,
          x: String(percentAt(startedAtMs) * 10),
          width: String(Math.max(0.8, (percentAt(endedAtMs) - percentAt(startedAtMs)) * 10)),
          y: String(100 - height),
          height: String(height),
        },
        svg('title', {}, document.createTextNode(text)),
      );
    });
  const picture = svg(
    'svg',
    {
      class: 'strip-bars',
      viewBox: '0 0 1000 100',
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': describe(stretches),
    },
    hatch(),
    ...bars,
  );
  const axis = el(
    'p',
    { class: 'strip-axis', 'aria-hidden': 'true' },
    ...[0, 0.25, 0.5, 0.75, 1].map((part) => el('span', {}, clockTime(whole * part))),
  );
  const keys = (['focused', 'unfocused', 'unknown', 'untracked'] as const).map((state) =>
    el('span', { class: 'named' }, el('span', { class: `key ${state}`, 'aria-hidden': 'true' }), STATE_LABELS[state]),
  );
  return el('div', { class: 'session-strip' }, sections, picture, axis, el('p', { class: 'keys' }, ...keys));
}

function describe(stretches: readonly Stretch[]): string {
  const counts = (kind: Stretch['kind']) => stretches.filter((stretch) => stretch.kind === kind).length;
  return `Time line: ${counts('focused')} stretches of focus, ${counts('unfocused')} looks away, ${counts('untracked')} gaps. The table below lists them.`;
}

/** The same stretches as a table. */
export function stretchesTable(report: Report): HTMLElement {
  return dataTable<Stretch>(
    'Stretches of the session',
    [
      { label: 'From', kind: 'text', cell: (row) => clockTime(row.startedAtMs - report.startedAtMs) },
      { label: 'What', kind: 'text', cell: (row) => labelOf(row.kind) },
      { label: 'How long', cell: (row) => duration(row.endedAtMs - row.startedAtMs) },
    ],
    stretchesOf(report),
  );
}
