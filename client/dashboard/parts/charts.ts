import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from 'chart.js';
import type { Figures } from '../../../shared/report/figures.ts';
import { BAR_SHAPE, plainOptions, styleColour } from '../../page/chart-options.ts';
import { percent } from '../../page/format.ts';
import { type DrawnChart, drawStack, type StackChart } from '../../page/stack-chart.ts';
import { el } from '../element.ts';
import type { ViewContext } from '../view.ts';

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Filler,
  Tooltip,
);

type Draw = (canvas: HTMLCanvasElement) => DrawnChart;

/** A canvas that is drawn once it stands in the page, and again when the colours change. */
function chart(context: ViewContext, label: string, size: 'tall' | 'low', draw: Draw): HTMLElement {
  const canvas = el('canvas', { role: 'img', 'aria-label': label });
  const frame = el('div', { class: size === 'tall' ? 'chart' : 'chart low' }, canvas);
  let drawn: DrawnChart | null = null;
  const redraw = () => {
    drawn?.destroy();
    drawn = draw(canvas);
  };
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  const started = requestAnimationFrame(redraw);
  const fit = () => drawn?.resize();
  scheme.addEventListener('change', redraw);
  window.addEventListener('beforeprint', fit);
  window.addEventListener('afterprint', fit);
  context.onLeave(() => {
    cancelAnimationFrame(started);
    scheme.removeEventListener('change', redraw);
    window.removeEventListener('beforeprint', fit);
    window.removeEventListener('afterprint', fit);
    drawn?.destroy();
  });
  return frame;
}

/** Bars of time by kind. */
export function stackChart(context: ViewContext, label: string, stack: StackChart): HTMLElement {
  return chart(context, label, 'tall', (canvas) => drawStack(canvas, stack));
}

export interface Line {
  readonly labels: readonly string[];
  /** Fractions 0–1; null leaves a gap. */
  readonly shares: readonly (number | null)[];
  readonly along: string;
  readonly title: (index: number) => string;
  readonly detail: (index: number) => string;
}

/** A share from 0 to 100 % along something. */
export function shareChart(context: ViewContext, label: string, line: Line): HTMLElement {
  return chart(context, label, 'low', (canvas) => {
    return new Chart(canvas, {
      type: 'line',
      data: {
        labels: [...line.labels],
        datasets: [
          {
            data: line.shares.map((fraction) => (fraction === null ? null : fraction * 100)),
            borderColor: styleColour('focused'),
            backgroundColor: styleColour('accent-wash'),
            pointBackgroundColor: styleColour('focused'),
            pointBorderColor: styleColour('card'),
            pointRadius: line.labels.length > 60 ? 0 : 3.5,
            pointHoverRadius: 5,
            borderWidth: 2.25,
            tension: 0.25,
            fill: true,
            spanGaps: true,
          },
        ],
      },
      options: plainOptions({
        along: line.along,
        unit: '',
        max: 100,
        ticks: { stepSize: 25, callback: (value) => `${value} %` },
        title: line.title,
        label: (item) => ` ${percent((item.parsed.y ?? 0) / 100)} focused`,
        afterLabel: (item) => ` ${line.detail(item.dataIndex)}`,
      }),
    });
  });
}

export interface Bars {
  readonly labels: readonly string[];
  readonly values: readonly (number | null)[];
  /** Bars to be seen first. */
  readonly marked: ReadonlySet<number>;
  readonly along: string;
  readonly unit: string;
  readonly title: (index: number) => string;
  readonly detail: (index: number) => string;
}

/** Bars of one number along something, some of them marked. */
export function barChart(context: ViewContext, label: string, bars: Bars): HTMLElement {
  return chart(context, label, 'low', (canvas) => {
    const plain = styleColour('untracked');
    const marked = styleColour('unfocused');
    return new Chart<'bar', (number | null)[]>(canvas, {
      type: 'bar',
      data: {
        labels: [...bars.labels],
        datasets: [
          {
            data: [...bars.values],
            backgroundColor: bars.values.map((_value, index) => (bars.marked.has(index) ? marked : plain)),
            ...BAR_SHAPE,
            borderRadius: 3,
          },
        ],
      },
      options: plainOptions({
        along: bars.along,
        unit: bars.unit,
        ticks: { maxTicksLimit: 5 },
        title: bars.title,
        label: (item) => ` ${bars.detail(item.dataIndex)}`,
      }),
    });
  });
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Hours where there are some, else minutes. */
export function unitFor(rows: readonly Figures[]): { readonly unitMs: number; readonly unit: string } {
  const most = Math.max(0, ...rows.map((row) => row.trackedMs + row.untrackedMs));
  return most >= 2 * HOUR_MS ? { unitMs: HOUR_MS, unit: 'Hours' } : { unitMs: MINUTE_MS, unit: 'Minutes' };
}
