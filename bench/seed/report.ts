import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { barChart, COLORS, logarithmicScale } from '../lib/svg.ts';
import { CONTENDERS, type Contender } from './contenders.ts';
import type { Figures } from './measure.ts';

/** Null for a contender that is not measured. */
export type Row = { readonly n: number } & Readonly<Record<Contender, Figures | null>>;

export interface Comparison {
  readonly students: readonly Row[];
  /** Most students whose p99 stays in bounds at their full rate; null where not measured. */
  readonly most: Readonly<Record<Contender, number | null>>;
  readonly coldStartMs: { readonly ours: number; readonly seed: number | null };
}

export const NAMES: Readonly<Record<Contender, string>> = {
  ours: 'gaze-relay',
  oursFixed5: 'gaze-relay, fixed 5/s',
  device: 'gaze-relay, device mode',
  seed5: 'Python service, 5/s',
  seed15: 'Python service, 15/s',
};

/** Between these lines docs/comparison.md is written by the bench. */
const BEGIN = '<!-- npm run bench -- seed --docs -->';
const END = '<!-- end of what the bench writes -->';

const short = (value: number | null): string =>
  value === null || Number.isNaN(value)
    ? '–'
    : value >= 100
      ? String(Math.round(value))
      : String(Number(value.toPrecision(2)));

const COLUMNS: readonly (readonly [string, (figures: Figures) => string])[] = [
  ['CPU, ms an observation', ({ cpuMsPerObservation: { whole } }) => short(whole)],
  [
    'gateway + inference',
    ({ cpuMsPerObservation: { gateway, inference } }) =>
      gateway === null ? '–' : `${short(gateway)} + ${short(inference)}`,
  ],
  ['ms a student-second', ({ cpuMsPerStudentSecond }) => short(cpuMsPerStudentSecond)],
  ['observations/s', ({ observationsPerSecond }) => short(observationsPerSecond)],
  ['p50, ms', ({ latencyMsP50 }) => short(latencyMsP50)],
  ['p99, ms', ({ latencyMsP99 }) => short(latencyMsP99)],
  ['memory, MB', ({ peakRssMb }) => short(peakRssMb)],
  ['bytes up', ({ upBytesPerObservation }) => short(upBytesPerObservation)],
  ['bytes down', ({ downBytesPerObservation }) => short(downBytesPerObservation)],
  ['stored / true focus, s', (figures) => `${short(figures.storedFocusSeconds)} / ${short(figures.trueFocusSeconds)}`],
];

/** The comparison as Markdown tables. */
export function tablesOf({ students, most, coldStartMs }: Comparison): string {
  const lines = [
    `| students | | ${COLUMNS.map(([title]) => title).join(' | ')} |`,
    `|---|---|${COLUMNS.map(() => '---').join('|')}|`,
  ];
  for (const row of students) {
    for (const contender of CONTENDERS) {
      const figures = row[contender];
      if (figures === null) continue;
      lines.push(`| ${row.n} | ${NAMES[contender]} | ${COLUMNS.map(([, cell]) => cell(figures)).join(' | ')} |`);
    }
  }
  lines.push('', '| | most students |', '|---|---|');
  for (const contender of CONTENDERS) lines.push(`| ${NAMES[contender]} | ${short(most[contender])} |`);
  lines.push(
    '',
    `From the start of the processes to the first observation: gaze-relay ${short(coldStartMs.ours)} ms, Python service ${short(coldStartMs.seed)} ms.`,
  );
  return lines.join('\n');
}

/** What it ran on. */
export function machineOf(pythonVersions: string | null): string {
  const [cpu] = cpus();
  const memoryGb = Math.round(totalmem() / 2 ** 30);
  const python = pythonVersions === null ? '' : `; ${pythonVersions}`;
  return `${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), ${memoryGb} GB, Node ${process.version}${python}.`;
}

const CHARTS = [
  {
    file: 'comparison-cpu.svg',
    title: 'CPU per student and second, ms',
    scale: logarithmicScale(1, 1000, String, short),
    figureOf: ({ cpuMsPerStudentSecond }: Figures) => cpuMsPerStudentSecond,
  },
  {
    file: 'comparison-memory.svg',
    title: 'Memory of all processes, MB',
    scale: logarithmicScale(10, 10_000, String, short),
    figureOf: ({ peakRssMb }: Figures) => peakRssMb,
  },
] as const;

/** Renews docs/comparison.md and its charts; `how` says how long and how often was measured. */
export async function writeDocs(comparison: Comparison, how: string, pythonVersions: string | null): Promise<void> {
  const docs = new URL('../../docs/', import.meta.url);
  const file = new URL('comparison.md', docs);
  const text = await readFile(file, 'utf8');
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`docs/comparison.md has no lines "${BEGIN}" and "${END}"`);
  const date = new Date().toISOString().slice(0, 10);
  const written = `${BEGIN}\n\nMeasured on ${date}, ${how}: ${machineOf(pythonVersions)}\n\n${tablesOf(comparison)}\n\n${CHARTS.map(({ file: image, title }) => `![${title}](images/${image})\n\n`).join('')}`;
  await writeFile(file, text.slice(0, before) + written + text.slice(after));
  const shown = CONTENDERS.filter((contender) => comparison.students.some((row) => row[contender] !== null));
  for (const { file: image, title, scale, figureOf } of CHARTS) {
    const bars = shown.map((contender, index) => ({
      name: NAMES[contender],
      color: COLORS[index] ?? '#777777',
      values: comparison.students.map((row) => {
        const figures = row[contender];
        return figures === null ? null : figureOf(figures);
      }),
    }));
    const groups = comparison.students.map(({ n }) => String(n));
    await writeFile(new URL(join('images', image), docs), barChart(title, groups, bars, scale));
  }
}
