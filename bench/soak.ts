import { readdir } from 'node:fs/promises';
import { startProduct } from '../harness/product.ts';
import { fetchTicket } from '../harness/student.ts';
import { buildUnless, readOptions } from './lib/options.ts';
import { rssMbOf } from './lib/process-usage.ts';
import { quantile } from './lib/stats.ts';
import { SteadyStudent } from './lib/steady-student.ts';

const USAGE = `npm run soak -- [options]
  --minutes M    how long students study (default 20; fractions too)
  --students N   students in device mode (default 100)
  --json         end with one JSON object as the last line
  --no-build     run what is in dist/ already
`;
const MINUTE_MS = 60_000;
const SAMPLES_AT_LEAST = 4;
const TURN_MS = 7000;
/** Between students who come, so that not all windows end at once. */
const ARRIVAL_MS = 50;
/** What a run may hold more at its end than after its first quarter: more is a leak. */
const MORE_ALLOWED = { rssMb: 48, descriptors: 24, timers: 24 };

interface Sample {
  readonly minute: number;
  /** Of the gateway; null where there is no /proc. */
  readonly rssMb: number | null;
  readonly descriptors: number | null;
  /** Timers that the gateway holds, by its own metrics. */
  readonly timers: number | null;
  /** Of all students' observations since the sample before, ms. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

async function timersOf(url: string): Promise<number | null> {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const found = /^(?:\w+_)?nodejs_active_resources\{type="Timeout"\} (\d+)/m.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

/** What grew from the end of the first quarter to the end of the run by more than MORE_ALLOWED. */
function leaks(samples: readonly Sample[]): string[] {
  const early = samples[Math.floor(samples.length / 4)];
  const last = samples.at(-1);
  return (Object.keys(MORE_ALLOWED) as (keyof typeof MORE_ALLOWED)[]).filter((name) => {
    const [before, after] = [early?.[name] ?? null, last?.[name] ?? null];
    return before !== null && after !== null && after - before > MORE_ALLOWED[name];
  });
}

/** Milliseconds by which the store differs from what each student did; 0 for all where nothing was lost or counted twice. */
async function errorsMs(
  url: string,
  truths: readonly Awaited<ReturnType<SteadyStudent['finish']>>[],
): Promise<number[]> {
  const errors: number[] = [];
  for (const { userId, sessionId, focusedMs, unfocusedMs } of truths) {
    const response = await fetch(new URL(`/api/v1/sessions/${sessionId}`, url), {
      headers: { authorization: `Bearer ${await fetchTicket(url, userId)}` },
    });
    const { report } = (await response.json()) as {
      report?: { focusedMs: number; unfocusedMs: number; unknownMs: number; untrackedMs: number };
    };
    if (report === undefined) errors.push(focusedMs + unfocusedMs);
    else {
      // How long a turn of the head is doubted is the smoothing's own; not one millisecond of the whole may differ.
      const whole = report.focusedMs + report.unfocusedMs + report.unknownMs + report.untrackedMs;
      errors.push(Math.abs(whole - focusedMs - unfocusedMs));
    }
  }
  return errors;
}

/** `npm run soak`: exit status 1 where something grew, a student was lost, or totals differ from the truth. */
export async function run(argv: readonly string[]): Promise<void> {
  const values = readOptions(argv, USAGE, {
    minutes: { type: 'string', default: '20' },
    students: { type: 'string', default: '100' },
  });
  if (values === null) return;
  const runMs = Number(values.minutes) * MINUTE_MS;
  const count = Number(values.students);
  if (!(runMs > 0) || !Number.isInteger(count) || count < 1) throw new Error(USAGE);
  await buildUnless(values);
  const product = await startProduct();
  const samples: Sample[] = [];
  let disconnected = 0;
  let errors: number[] = [];
  try {
    const { url } = product;
    const { pid } = product.gateway().process;
    const students: SteadyStudent[] = [];
    for (let userId = 1; userId <= count; userId += 1) {
      students.push(
        await SteadyStudent.start({ url, ticket: await fetchTicket(url, userId), userId, turnMs: TURN_MS }),
      );
      await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
    }
    const startedMs = performance.now();
    const everyMs = Math.min(MINUTE_MS, runMs / SAMPLES_AT_LEAST);
    process.stdout.write(
      '| minute | RSS, MB | descriptors | timers | latency p50, ms | p99 |\n|---|---|---|---|---|---|\n',
    );
    while (performance.now() - startedMs < runMs - everyMs / 2) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      const latenciesMs = students.flatMap((student) => student.takeLatenciesMs());
      const sample: Sample = {
        minute: (performance.now() - startedMs) / MINUTE_MS,
        rssMb: await rssMbOf(pid),
        descriptors: await readdir(`/proc/${pid}/fd`).then(
          (names) => names.length,
          () => null,
        ),
        timers: await timersOf(url),
        medianMs: quantile(latenciesMs, 0.5),
        p99Ms: quantile(latenciesMs, 0.99),
      };
      samples.push(sample);
      const { minute, rssMb, descriptors, timers, medianMs, p99Ms } = sample;
      process.stdout.write(
        `| ${minute.toFixed(1)} | ${rssMb?.toFixed(0) ?? '–'} | ${descriptors ?? '–'} | ${timers ?? '–'} | ${medianMs.toFixed(0)} | ${p99Ms.toFixed(0)} |\n`,
      );
    }
    disconnected = students.filter(({ isConnected }) => !isConnected).length;
    const truths = await Promise.all(
      students.filter(({ isConnected }) => isConnected).map((student) => student.finish()),
    );
    errors = await errorsMs(url, truths);
  } finally {
    await product.stop();
  }
  const summary = { students: count, disconnected, maxErrorMs: Math.max(0, ...errors), grew: leaks(samples) };
  process.stdout.write(`${JSON.stringify(values.json ? { ...summary, samples } : summary)}\n`);
  if (disconnected > 0 || summary.maxErrorMs > 0 || summary.grew.length > 0) process.exitCode = 1;
}
