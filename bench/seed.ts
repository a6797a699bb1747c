import { parseArgs } from 'node:util';
import { buildClient, buildServices } from '../scripts/build.ts';
import { median, round } from './lib/stats.ts';
import { prepareClip } from './seed/clip.ts';
import { CONTENDERS, type Contender } from './seed/contenders.ts';
import { type Figures, type Measured, measure, medianFigures } from './seed/measure.ts';
import { findMost } from './seed/most.ts';
import { installPython } from './seed/python-service.ts';
import { type Comparison, machineOf, type Row, tablesOf, writeDocs } from './seed/report.ts';

const USAGE = `npm run bench -- seed [options]: gaze-relay beside the Python service that it replaces
  --students 1,5,20,50     numbers of students
  --seconds S              measured seconds of each run (default 40)
  --rounds R               runs of each, taken in turns (default 2)
  --contenders NAME,…      of ${CONTENDERS.join(', ')} (default all)
  --no-most                leave out the search for the most students
  --docs                   renew docs/comparison.md and its charts
  --json                   end with one JSON object as the last line
`;
/** Each number of students that the search tries. */
const MOST_TRIAL_MS = 12_000;
const DIGITS = 3;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What is going on; on stderr, so that the table stays whole. */
function progress(line: string): void {
  process.stderr.write(`… ${line}\n`);
}

function readOptions(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      students: { type: 'string', default: '1,5,20,50' },
      seconds: { type: 'string', default: '40' },
      rounds: { type: 'string', default: '2' },
      contenders: { type: 'string', default: CONTENDERS.join() },
      'no-most': { type: 'boolean', default: false },
      docs: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const students = values.students.split(',').map(Number);
  const seconds = Number(values.seconds);
  const rounds = Number(values.rounds);
  const contenders = values.contenders.split(',').map((name) => CONTENDERS.find((each) => each === name));
  const isRight =
    students.every((count) => Number.isInteger(count) && count > 0 && count <= 5000) &&
    seconds > 0 &&
    Number.isInteger(rounds) &&
    rounds > 0 &&
    contenders.every((each) => each !== undefined);
  if (!isRight) throw new Error(USAGE);
  return { ...values, students, seconds, rounds, contenders: contenders.filter((each) => each !== undefined) };
}

/** Figures with as many digits as they are worth; what has no number becomes null. */
function rounded(figures: Figures): Figures {
  const trim = (value: unknown): unknown => {
    if (typeof value === 'number') return Number.isFinite(value) ? round(value, DIGITS) : null;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, trim(each)]));
  };
  return trim(figures) as Figures;
}

/**
 * `npm run bench -- seed [--students 1,5,20,50] [--json]`. Keys: `students`, for each number `n` of them what each contender
 * did (seed/measure.ts, Figures; per student, null where not measured); `most` (seed/most.ts); `coldStartMs`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv);
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { contenders: asked, seconds, rounds } = options;
  const installed = asked.some((name) => name.startsWith('seed')) ? await installPython(progress) : null;
  if (installed !== null && 'missing' in installed) say(installed.missing);
  const python = installed !== null && 'python' in installed ? installed.python : null;
  const versions = installed !== null && 'versions' in installed ? installed.versions : null;
  const contenders = asked.filter((name) => python !== null || !name.startsWith('seed'));
  await Promise.all([buildClient(), buildServices()]);
  progress('the clip as each page sends it');
  const clip = await prepareClip();
  say(machineOf(versions));

  const coldStartsMs = { ours: [] as number[], seed: [] as number[] };
  const rows: Row[] = [];
  for (const n of options.students) {
    const results = new Map<Contender, Measured[]>(contenders.map((name) => [name, []]));
    for (let turn = 1; turn <= rounds; turn += 1) {
      for (const contender of contenders) {
        const forMs = seconds * 1000;
        const result = await measure({ contender, students: n, clip, python, forMs, readsBack: true });
        results.get(contender)?.push(result);
        coldStartsMs[contender.startsWith('seed') ? 'seed' : 'ours'].push(result.coldStartMs);
        const { figures, generatorShare, servedShare } = result;
        progress(
          `${n} × ${contender}, round ${turn} of ${rounds}: ${figures.cpuMsPerObservation.whole.toFixed(2)} ms an observation, ${(servedShare * 100).toFixed(0)} % served, load generator ${(generatorShare * 100).toFixed(1)} % of the cores`,
        );
      }
    }
    const figuresOf = (contender: Contender): Figures | null => {
      const measured = results.get(contender);
      return measured === undefined ? null : rounded(medianFigures(measured.map(({ figures }) => figures)));
    };
    const cells = CONTENDERS.map((contender) => [contender, figuresOf(contender)] as const);
    rows.push({ n, ...(Object.fromEntries(cells) as Record<Contender, Figures | null>) });
  }

  const most: Record<Contender, number | null> = {
    ours: null,
    oursFixed5: null,
    device: null,
    seed5: null,
    seed15: null,
  };
  if (!options['no-most']) {
    for (const contender of contenders) {
      most[contender] = await findMost(contender, { clip, python, forMs: MOST_TRIAL_MS }, progress);
    }
  }
  const comparison: Comparison = {
    students: rows,
    most,
    coldStartMs: {
      ours: round(median(coldStartsMs.ours), 0),
      seed: coldStartsMs.seed.length === 0 ? null : round(median(coldStartsMs.seed), 0),
    },
  };
  say(`\n${tablesOf(comparison)}`);
  if (options.docs) await writeDocs(comparison, `${seconds} s, rounds: ${rounds}`, versions);
  if (options.json) say(JSON.stringify(comparison));
}
