import type { LinkFigures } from './figures.ts';
import { CONTENDERS, type Contender } from './plan.ts';

/** Figures of one link; a sender that was not measured is null or absent. */
export type LinkResult = {
  readonly link: string;
  readonly seedBytesPerOursRatio: number | null;
  /** From navigation with an empty cache to the first observation, in server mode. */
  readonly firstObservationMs: number;
} & {
  readonly [contender in Contender]?: LinkFigures | null;
};

const COLUMNS: readonly (readonly [string, number, (figures: LinkFigures) => string])[] = [
  ['obs/s', 7, ({ observationsPerSecond }) => observationsPerSecond.toFixed(1)],
  ['up kB/s', 9, ({ upBytesPerSecond }) => kilo(upBytesPerSecond)],
  ['down kB/s', 11, ({ downBytesPerSecond }) => kilo(downBytesPerSecond)],
  ['B/obs', 8, ({ upBytesPerObservation }) => String(upBytesPerObservation ?? '–')],
  ['p50 ms', 8, ({ latencyMsP50 }) => String(latencyMsP50 ?? '–')],
  ['p99 ms', 8, ({ latencyMsP99 }) => String(latencyMsP99 ?? '–')],
  ['stale p99', 11, ({ stalenessMsP99 }) => String(stalenessMsP99 ?? '–')],
  ['untracked', 11, ({ untrackedShare }) => `${(untrackedShare * 100).toFixed(1)} %`],
  ['first ms', 10, ({ firstObservationMs }) => String(firstObservationMs ?? '–')],
];

function kilo(bytes: number): string {
  return (bytes / 1000).toFixed(2);
}

/** A table for people, on standard output. */
export function printLinks(results: readonly LinkResult[], withHead: boolean): void {
  const line = (cells: readonly string[]) => process.stdout.write(`${cells.join('')}\n`);
  if (withHead) line(['link'.padEnd(13), 'sender'.padEnd(11), ...COLUMNS.map(([head, width]) => head.padStart(width))]);
  for (const result of results) {
    for (const contender of CONTENDERS) {
      const figures = result[contender];
      if (figures === undefined) continue;
      const name = [result.link.padEnd(13), contender.padEnd(11)];
      if (figures === null) line([...name, '  not there yet']);
      else line([...name, ...COLUMNS.map(([, width, text]) => text(figures).padStart(width)), outageText(figures)]);
    }
    const { seedBytesPerOursRatio: ratio, firstObservationMs: firstMs } = result;
    line([' '.repeat(13), `a first visit: ${(firstMs / 1000).toFixed(1)} s from navigation to the first observation`]);
    if (ratio !== null) line([' '.repeat(13), `the seed sends ${ratio} × as many bytes per observation`]);
  }
}

function outageText({ backMs, caughtUpMs }: LinkFigures): string {
  if (backMs === null) return '';
  const caughtUp = caughtUpMs === null ? '' : `, caught up after ${(caughtUpMs / 1000).toFixed(1)} s`;
  return `  back ${(backMs / 1000).toFixed(1)} s after the outage${caughtUp}`;
}
