import { runClusterChaos } from './chaos/cluster.ts';
import { type ChaosOptions, type ChaosResult, runChaos } from './chaos/run.ts';
import { buildUnless, readOptions } from './lib/options.ts';

const USAGE = `npm run chaos -- [options]
  --gateways N   gateways behind a proxy, with three NATS servers (default 1: one gateway, without NATS)
  --students N   simulated students (default 50)
  --seconds S    how long faults come (default 120)
  --seed N       which faults come when (default 1)
  --only A,B     these faults alone, by name
  --release      no faults: the gateways are restarted one after the other, and at most 0.2 s may be lost
  --json         end with one JSON object as the last line
  --verbose      show the gateway's log
  --no-build     run what is in dist/ already
`;

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new Error(`--${name} is a whole number from 1 to ${max}`);
  return value;
}

function table(result: ChaosResult): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(1).padStart(8);
  const error = (stored: number, truth: number) => `${stored - truth >= 0 ? '+' : ''}${stored - truth} ms`.padStart(9);
  const lines = result.students.map((student) =>
    [
      String(student.userId).padStart(8),
      student.mode,
      String(student.reconnects).padStart(5),
      String(student.kills).padStart(5),
      String(student.unserved).padStart(8),
      String(student.windows).padStart(7),
      seconds(student.truthFocusedMs),
      error(student.storedFocusedMs, student.truthFocusedMs),
      seconds(student.truthUnfocusedMs),
      error(student.storedUnfocusedMs, student.truthUnfocusedMs),
      String(student.eyelearnS).padStart(8),
    ].join(' '),
  );
  const head = ' student   mode  recn kills unserved windows  focused     error unfocused    error  EyeLearn';
  return [head, ...lines].join('\n');
}

export async function run(argv: readonly string[]): Promise<void> {
  const values = readOptions(argv, USAGE, {
    gateways: { type: 'string', default: '1' },
    students: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    release: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  });
  if (values === null) return;
  const gateways = wholeNumber('gateways', values.gateways, 9);
  const students = wholeNumber('students', values.students, 500);
  const seconds = wholeNumber('seconds', values.seconds, 3600);
  const seed = wholeNumber('seed', values.seed, 2_147_483_647);
  await buildUnless(values);
  const startedMs = performance.now();
  if (values.release && gateways === 1) throw new Error('--release needs --gateways 2 or more');
  const run = (options: ChaosOptions) =>
    gateways === 1 ? runChaos(options) : runClusterChaos({ ...options, gateways, isRelease: values.release });
  const result = await run({
    students,
    seconds,
    seed,
    only: values.only?.split(',') ?? null,
    log: values.verbose ? 'inherit' : 'ignore',
    onFault: (name, lastsMs) =>
      process.stderr.write(
        `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${name}, ${lastsMs} ms\n`,
      ),
  });
  process.stdout.write(`${table(result)}\n`);
  const summary = {
    students,
    faults: Object.values(result.faults).reduce((sum, count) => sum + count, 0),
    windowsExpected: result.windowsExpected,
    windowsStored: result.windowsStored,
    duplicates: result.duplicates,
    maxErrorMs: result.maxErrorMs,
    phpStoredSeconds: result.eyelearnSeconds,
    phpTruthSeconds: result.truthSeconds,
    phpSeconds: result.phpSeconds,
    faultsByName: result.faults,
    ...(gateways === 1
      ? {}
      : {
          gateways,
          resumedShare: result.resumedShare,
          reconnectMsP99: result.reconnectMsP99,
          maxErrorPerKillMs: result.maxErrorPerKillMs,
          meanErrorPerKillMs: result.meanErrorPerKillMs,
          maxLostMs: result.maxLostMs,
        }),
  };
  if (values.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  else
    process.stdout.write(
      `${Object.entries(summary)
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
        .join('\n')}\n`,
    );
  const limitMs = values.release ? 200 : 1000;
  const clusterErrorMs = values.release ? result.maxLostMs : result.maxErrorPerKillMs;
  const errorMs = gateways === 1 ? result.maxErrorMs : clusterErrorMs;
  const isRight = result.windowsExpected === result.windowsStored && result.duplicates === 0 && errorMs <= limitMs;
  if (!isRight) process.exitCode = 1;
}
