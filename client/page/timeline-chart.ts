import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip } from 'chart.js';
import { FOCUS_STATES, type FocusState } from '../../shared/direction.ts';
import { duration } from './format.ts';
import type { TimelineBar } from './report-data.ts';

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

/** Draws the timeline, each bar the seconds of one interval by kind of time. Returns the chart. */
export function drawTimeline(canvas: HTMLCanvasElement, bars: readonly TimelineBar[], originMs: number): Chart {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const text = colour('soft');
  const colours: Record<FocusState, CanvasPattern | string> = {
    focused: colour('focused'),
    unfocused: colour('unfocused'),
    unknown: colour('unknown'),
    untracked: hatched(colour('untracked'), colour('hatch')),
  };
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels: bars.map(({ startedAtMs }) => sinceStart(startedAtMs - originMs)),
      datasets: FOCUS_STATES.map((state) => ({
        label: STATE_LABELS[state],
        data: bars.map(({ times }) => times[state] / 1000),
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
          title: { display: true, text: 'Time since the session began', color: text },
          border: { color: colour('line') },
        },
        y: {
          stacked: true,
          beginAtZero: true,
          grid: { color: colour('line') },
          ticks: { color: text, maxTicksLimit: 6 },
          title: { display: true, text: 'Seconds', color: text },
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
            title: (items) => intervalTitle(bars[items[0]?.dataIndex ?? 0], originMs),
            label: (item) => ` ${item.dataset.label}: ${duration((item.parsed.y ?? 0) * 1000)}`,
          },
        },
      },
    },
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
