import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from 'chart.js';
import { FOCUS_STATES, type FocusState } from '../../shared/direction.ts';
import { duration } from './format.ts';
import type { Times } from './proportion.ts';

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Legend, Tooltip);

export const STATE_LABELS: Readonly<Record<FocusState, string>> = {
  focused: 'Focused',
  unfocused: 'Not focused',
  unknown: 'Unknown',
  untracked: 'Not tracked',
};

/** A colour of the page's style by its name without dashes. */
export function styleColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

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

/** Draws bars of time by kind, one on top of the other. Returns the chart. */
export function drawStack(canvas: HTMLCanvasElement, stack: StackChart): Chart {
  const text = styleColour('soft');
  const colours: Record<FocusState, CanvasPattern | string> = {
    focused: styleColour('focused'),
    unfocused: styleColour('unfocused'),
    unknown: styleColour('unknown'),
    untracked: hatched(styleColour('untracked'), styleColour('hatch')),
  };
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels: [...stack.labels],
      datasets: FOCUS_STATES.map((state) => ({
        label: STATE_LABELS[state],
        data: stack.bars.map((times) => times[state] / stack.unitMs),
        backgroundColor: colours[state],
        borderWidth: 0,
        maxBarThickness: 56,
        categoryPercentage: 0.92,
        barPercentage: 0.94,
      })),
    },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          stacked: true,
          grid: { display: false },
          ticks: { color: text, maxRotation: 0, autoSkipPadding: 16 },
          title: { display: stack.along !== '', text: stack.along, color: text },
          border: { color: styleColour('line') },
        },
        y: {
          stacked: true,
          beginAtZero: true,
          grid: { color: styleColour('line') },
          ticks: { color: text, maxTicksLimit: 6 },
          title: { display: true, text: stack.unit, color: text },
          border: { display: false },
        },
      },
      plugins: {
        legend: {
          position: 'bottom',
          align: 'start',
          labels: { color: text, boxWidth: 12, boxHeight: 12, padding: 18, useBorderRadius: true, borderRadius: 3 },
        },
        tooltip: {
          callbacks: {
            title: (items) => stack.title(items[0]?.dataIndex ?? 0),
            label: (item) => ` ${item.dataset.label}: ${duration((item.parsed.y ?? 0) * stack.unitMs)}`,
          },
        },
      },
    },
  });
}
