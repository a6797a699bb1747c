import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BarScale, barChart, COLORS, linearScale, logarithmicScale } from '../lib/svg.ts';
import type { LinkFigures } from './figures.ts';
import { CONTENDERS, type Contender } from './plan.ts';
import type { LinkResult } from './print.ts';

const NAMES: Readonly<Record<Contender, string>> = {
  ours: 'server mode, moving student',
  still: 'server mode, still student',
  device: 'device mode',
  post: 'server mode by POSTs',
  postDevice: 'device mode by POSTs',
  seed: 'the old way',
};

/** Three digits at most stand above a bar. */
function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

const CHARTS: readonly {
  readonly file: string;
  readonly title: string;
  readonly scale: BarScale;
  figureOf(figures: LinkFigures): number | null;
}[] = [
  {
    file: 'links-bytes.svg',
    title: 'Sent per observation, kB',
    scale: logarithmicScale(0.01, 100, String, short),
    figureOf: ({ upBytesPerObservation }) => (upBytesPerObservation === null ? null : upBytesPerObservation / 1000),
  },
  {
    file: 'links-observations.svg',
    title: 'Observations per second',
    scale: linearScale(16, 2, short),
    figureOf: ({ observationsPerSecond }) => observationsPerSecond,
  },
  {
    file: 'links-latency.svg',
    title: 'From capture to update, s (99 of 100 are faster)',
    scale: logarithmicScale(0.01, 100, String, short),
    figureOf: ({ latencyMsP99 }) => (latencyMsP99 === null ? null : latencyMsP99 / 1000),
  },
];

/** Writes the charts of docs/links.md into `folder`. */
export async function writeLinkCharts(results: readonly LinkResult[], folder: string): Promise<void> {
  const series = CONTENDERS.filter((contender) => results.some((result) => result[contender] != null));
  await Promise.all(
    CHARTS.map(({ file, title, scale, figureOf }) => {
      const bars = series.map((contender, index) => ({
        name: NAMES[contender],
        color: COLORS[index] ?? '#222',
        values: results.map((result) => {
          const figures = result[contender];
          return figures == null ? null : figureOf(figures);
        }),
      }));
      const links = results.map(({ link }) => link);
      return writeFile(join(folder, file), barChart(title, links, bars, scale));
    }),
  );
}
