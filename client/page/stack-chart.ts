import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from 'chart.js';
import { FOCUS_STATES, type FocusState } from '../../shared/direction.ts';
import { BAR_SHAPE, plainOptions, styleColour } from './chart-options.ts';
import { duration } from './format.ts';
import type { Times } from './proportion.ts';

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Legend, Tooltip);

export const STATE_LABELS: Readonly<Record<FocusState, string>> = {
  focused: 'Focused',
  unfocused: 'Not focused',
  unknown: 'Unknown',
  untracked: 'Not tracked',
};

/** Thin diagonal lines, so that untracked time differs by more than its colour. */
function hatched(base: string, line: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = 8;
  tile.height = 8;
  const context = tile.getContext('2d');
  if (context === null) return base;
  context.fillStyle = base;
  context.fillRect(0, 0, 8, 8);
  context.strokeStyle = line;
  context.lineWidth = 1.2;
  for (const shift of [-8, 0, 8]) {
    context.beginPath();
    context.moveTo(shift, 8);
    context.lineTo(shift + 8, 0);
    context.stroke();
  }
  return context.createPattern(tile, 'repeat') ?? base;
}

export interface StackChart {
  /** One per bar. */
  readonly labels: readonly string[];
  readonly bars: readonly Times[];
  /** What one unit of the vertical axis is, ms, and what it is called. */
  readonly unitMs: number;
  readonly unit: string;
  /** What runs along the horizontal axis; empty for no title. */
  readonly along: string;
  /** Heading of a bar's tooltip. */
  readonly title: (index: number) => string;
}

/** What the pages do with a chart once it is drawn. */
export type DrawnChart = Pick<Chart, 'destroy' | 'resize'>;

/** Draws bars of time by kind, one on top of the other. Returns the chart. */
export function drawStack(canvas: HTMLCanvasElement, stack: StackChart): DrawnChart {
  const text = styleColour('soft');
  const colours: Record<FocusState, CanvasPattern | string> = {
    focused: styleColour('focused'),
    unfocused: styleColour('unfocused'),
    unknown: styleColour('unknown'),
    untracked: hatched(styleColour('untracked'), styleColour('hatch')),
  };
  const options = plainOptions({
    along: stack.along,
    stacked: true,
    unit: stack.unit,
    ticks: { maxTicksLimit: 6 },
    title: stack.title,
    label: (item) => ` ${item.dataset.label}: ${duration((item.parsed.y ?? 0) * stack.unitMs)}`,
  });
  return new Chart<'bar', number[]>(canvas, {
    type: 'bar',
    data: {
      labels: [...stack.labels],
      datasets: FOCUS_STATES.map((state) => ({
        label: STATE_LABELS[state],
        data: stack.bars.map((times) => times[state] / stack.unitMs),
        backgroundColor: colours[state],
        borderWidth: 0,
        ...BAR_SHAPE,
      })),
    },
    options: {
      ...options,
      plugins: {
        ...options.plugins,
        legend: {
          position: 'bottom',
          align: 'start',
          labels: { color: text, boxWidth: 12, boxHeight: 12, padding: 18, useBorderRadius: true, borderRadius: 3 },
        },
      },
    },
  });
}
