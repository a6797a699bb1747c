import type { ChartOptions } from 'chart.js';

/** A colour of the page's style by its name without dashes. */
export function styleColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** How bars of one chart stand beside each other. */
export const BAR_SHAPE = { maxBarThickness: 56, categoryPercentage: 0.92, barPercentage: 0.94 } as const;

/** A point or bar that a tooltip is about. */
export interface ChartItem {
  readonly dataIndex: number;
  readonly dataset: { readonly label?: string | undefined };
  readonly parsed: { readonly y: number | null };
}

export interface PlainChart {
  /** What runs along the horizontal axis; empty for no title. */
  readonly along: string;
  /** The vertical axis: its title, empty for none, its ticks and limits. */
  readonly unit: string;
  readonly ticks: {
    readonly stepSize?: number;
    readonly maxTicksLimit?: number;
    readonly callback?: (value: string | number) => string;
  };
  readonly max?: number;
  readonly stacked?: boolean;
  /** Heading of the tooltip of a place on the horizontal axis. */
  readonly title: (index: number) => string;
  readonly label: (item: ChartItem) => string;
  readonly afterLabel?: (item: ChartItem) => string;
}

/** Options that all of the pages' charts have: quiet axes in the page's colours, no movement, a tooltip for each place, no legend. */
export function plainOptions(chart: PlainChart): ChartOptions<'bar'> & ChartOptions<'line'> {
  const color = styleColour('soft');
  const line = styleColour('line');
  const { along, unit, ticks, max, stacked = false, title, label, afterLabel } = chart;
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    interaction: { mode: 'index', intersect: false },
    scales: {
      x: {
        stacked,
        grid: { display: false },
        ticks: { color, maxRotation: 0, autoSkipPadding: 16 },
        title: { display: along !== '', text: along, color },
        border: { color: line },
      },
      y: {
        stacked,
        beginAtZero: true,
        ...(max === undefined ? {} : { max }),
        grid: { color: line },
        ticks: { color, ...ticks },
        title: { display: unit !== '', text: unit, color },
        border: { display: false },
      },
    },
    plugins: {
      legend: { display: false },
      tooltip: {
        callbacks: {
          title: (items: readonly ChartItem[]) => title(items[0]?.dataIndex ?? 0),
          label,
          ...(afterLabel === undefined ? {} : { afterLabel }),
        },
      },
    },
  };
}
