import { readdir } from 'node:fs/promises';
import { startProduct } from '../harness/product.ts';
import { seededIntegers } from '../harness/random.ts';
import { describeError } from '../shared/errors.ts';
import { type AttackContext, studentTicket } from './attack/context.ts';
import { MESSAGE_ATTACKS } from './attack/messages.ts';
import { POST_ATTACKS } from './attack/posts.ts';
import { REQUEST_ATTACKS } from './attack/requests.ts';
import { SOCKET_ATTACKS } from './attack/sockets.ts';
import { buildUnless, readOptions } from './lib/options.ts';
import { SteadyStudent } from './lib/steady-student.ts';

const USAGE = `npm run attack -- [options]
  --short        a smaller form of each attack
  --seed N       what is mutated how (default 1)
  --only TEXT    attacks whose name has this text
  --json         end with one JSON object as the last line
  --no-build     run what is in dist/ already
`;
const SECRET = 'the secret of a product under attack, long enough';
const ATTACKS = [...SOCKET_ATTACKS, ...REQUEST_ATTACKS, ...POST_ATTACKS, ...MESSAGE_ATTACKS];
const BYSTANDER_ID = 1;

interface Row {
  readonly attack: string;
  /** Null where the product held. */
  readonly broken: string | null;
  readonly found: string;
  readonly seconds: number;
  /** Longest wait of the student who is there all the while, ms. */
  readonly bystanderMs: number;
  /** Descriptors that the gateway holds more than before the first attack; null where there is no /proc. */
  readonly descriptors: number | null;
}

async function descriptorsOf(pid: number | undefined): Promise<number | null> {
  return readdir(`/proc/${pid}/fd`).then(
    (names) => names.length,
    () => null,
  );
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ attack, broken, found, seconds, bystanderMs, descriptors }) => {
    const result = broken === null ? 'held' : 'BROKEN';
    return `| ${attack} | ${result} | ${broken ?? found} | ${seconds.toFixed(1)} | ${bystanderMs.toFixed(0)} | ${descriptors ?? '–'} |`;
  });
  return [
    '| attack | result | what happened | s | bystander, worst ms | descriptors + |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** Attacks the built product over loopback, one way after another, while one student studies. */
async function attackAll(options: {
  readonly isShort: boolean;
  readonly seed: number;
  readonly only: string;
}): Promise<Row[]> {
  const product = await startProduct({
    RELAY_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: 'https://school.example',
    LOG_LEVEL: 'fatal',
  });
  const rows: Row[] = [];
  try {
    const pids = [product.gateway().process.pid, product.inference().process.pid];
    let hasEnded = false;
    for (const service of [product.gateway(), product.inference()]) service.exited.then(() => (hasEnded = true));
    const context: AttackContext = {
      url: product.url,
      inferenceUrl: `http://127.0.0.1:${product.inference().port}/`,
      below: seededIntegers(options.seed),
      times: (long, short) => (options.isShort ? short : long),
      secret: SECRET,
    };
    const bystander = await SteadyStudent.start({
      url: product.url,
      ticket: studentTicket(SECRET, BYSTANDER_ID),
      userId: BYSTANDER_ID,
      turnMs: 4000,
    });
    const before = await descriptorsOf(pids[0]);
    for (const { name, run } of ATTACKS.filter((attack) => attack.name.includes(options.only))) {
      const startedMs = performance.now();
      let broken: string | null = null;
      let found = '';
      try {
        found = await run(context);
        if ((await fetch(new URL('/healthz', product.url))).status !== 200) broken = '/healthz does not answer 200';
        else if (!bystander.isConnected) broken = 'the bystander was disconnected';
      } catch (error) {
        broken = describeError(error);
      }
      if (hasEnded) broken = 'a service has ended';
      const now = await descriptorsOf(pids[0]);
      rows.push({
        attack: name,
        broken,
        found,
        seconds: (performance.now() - startedMs) / 1000,
        bystanderMs: Math.max(0, ...bystander.takeLatenciesMs()),
        descriptors: now === null || before === null ? null : now - before,
      });
      if (hasEnded) return rows;
    }
    const truth = await bystander.finish();
    const response = await fetch(new URL(`/api/v1/sessions/${truth.sessionId}`, product.url), {
      headers: { authorization: `Bearer ${studentTicket(SECRET, BYSTANDER_ID)}` },
    });
    const { report } = (await response.json()) as { report?: { focusedMs: number; unfocusedMs: number } };
    const bookedMs = (report?.focusedMs ?? 0) + (report?.unfocusedMs ?? 0);
    const truthMs = truth.focusedMs + truth.unfocusedMs;
    rows.push({
      attack: "the bystander's time afterwards",
      broken: Math.abs(bookedMs - truthMs) <= 1000 ? null : `${bookedMs} ms are booked, ${truthMs} ms were`,
      found: `${bookedMs} ms booked of ${truthMs}, ${truth.observations} observations answered`,
      seconds: 0,
      bystanderMs: 0,
      descriptors: null,
    });
  } finally {
    await product.stop();
  }
  return rows;
}

export async function run(argv: readonly string[]): Promise<void> {
  const values = readOptions(argv, USAGE, {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  });
  if (values === null) return;
  await buildUnless(values);
  const rows = await attackAll({ isShort: values.short, seed: Number(values.seed), only: values.only });
  process.stdout.write(`${table(rows)}\n`);
  const broken = rows.filter((row) => row.broken !== null).map(({ attack }) => attack);
  if (values.json) process.stdout.write(`${JSON.stringify({ seed: Number(values.seed), broken, rows })}\n`);
  if (broken.length > 0) process.exitCode = 1;
}
