import { randomUUID } from 'node:crypto';
import { RelayError } from '../../../shared/errors.ts';
import { developmentSecret } from '../../auth/development-secret.ts';
import { mintTicket } from '../../auth/ticket.ts';
import { type Command, configOf, readOptions, wholeNumberOption } from '../command.ts';
import { LoadStudent, type LoadTaken } from './student.ts';

/** Students are numbered from here, so that no real student is given their time. */
const FIRST_USER_ID = 9_100_001;
const MODULE_ID = 1;
const OPENING_AT_ONCE = 10;
/** Before it nothing is counted: every student has come, and rates have settled. */
const WARM_MS = 3000;
const ROWS = 6;
const DEFAULTS = { students: 10, minutes: 1, p99Ms: 250, servedPercent: 95 };

const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Row {
  readonly observationsPerSecond: number;
  readonly servedPercent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly disconnected: number;
  readonly lowered: number;
}

function rowOf(taken: readonly LoadTaken[], seconds: number): Row {
  const sum = (pick: (each: LoadTaken) => number) => taken.reduce((total, each) => total + pick(each), 0);
  const latenciesMs = taken.flatMap((each) => each.latenciesMs).sort((a, b) => a - b);
  const quantile = (share: number) =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? Number.POSITIVE_INFINITY;
  return {
    observationsPerSecond: sum((each) => each.observations) / seconds / taken.length,
    servedPercent: Math.min(
      100,
      (100 * sum((each) => each.observations)) /
        Math.max(
          1,
          sum((each) => each.wanted),
        ),
    ),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    disconnected: taken.filter(({ isConnected }) => !isConnected).length,
    lowered: taken.filter(({ isLowered }) => isLowered).length,
  };
}

function lineOf(name: string, row: Row): string {
  const cells = [
    row.observationsPerSecond.toFixed(2),
    row.servedPercent.toFixed(1),
    row.p50Ms.toFixed(0),
    row.p99Ms.toFixed(0),
    row.disconnected,
    row.lowered,
  ];
  return `| ${name} | ${cells.join(' | ')} |`;
}

/** Students who send real face crops, against a gateway that runs: does it hold so many? */
export const loadCommand: Command = {
  name: 'load',
  usage: '--url URL [--students N] [--minutes M] [--p99-ms MS] [--served PERCENT]',
  summary: `students with real pictures against a running gateway, numbered from ${FIRST_USER_ID}: status 1 where they wait too long`,
  async run(argv, context) {
    const options = readOptions(argv, {
      url: 'string',
      students: 'string',
      minutes: 'string',
      'p99-ms': 'string',
      served: 'string',
    });
    if (options.url === undefined || !URL.canParse(options.url) || !/^https?:/.test(options.url)) {
      throw new RelayError('option_invalid', '--url is the address of a gateway, as https://relay.school.example');
    }
    const { url } = options;
    const count = wholeNumberOption('students', options.students, 1, DEFAULTS.students);
    const minutes = Number(options.minutes ?? DEFAULTS.minutes);
    if (!(minutes > 0)) throw new RelayError('option_invalid', '--minutes is a number above 0');
    const mostMs = wholeNumberOption('p99-ms', options['p99-ms'], 1, DEFAULTS.p99Ms);
    const leastPercent = wholeNumberOption('served', options.served, 1, DEFAULTS.servedPercent);
    const config = configOf(context);
    const secret = config.secret ?? (await developmentSecret(config.dataDir));

    const students: LoadStudent[] = [];
    try {
      for (let index = 0; index < count; index += OPENING_AT_ONCE) {
        await Promise.all(
          Array.from({ length: Math.min(OPENING_AT_ONCE, count - index) }, async (_, offset) => {
            const identity = { userId: FIRST_USER_ID + index + offset, moduleId: MODULE_ID, role: 'student' } as const;
            const ticket = mintTicket(identity, secret, new Date(context.now()), randomUUID());
            students.push(await LoadStudent.open(url, ticket, index + offset));
          }),
        );
      }
      await rest(WARM_MS);
      for (const student of students) student.take();
      context.out(`${count} students, ${minutes} min against ${url}\n`);
      context.out(
        '| after | observations/s of a student | served, % | p50, ms | p99, ms | disconnected | asked for less |',
      );
      context.out('|---|---|---|---|---|---|---|');
      const everyMs = (minutes * 60_000) / ROWS;
      const whole: LoadTaken[][] = [];
      for (let row = 1; row <= ROWS; row += 1) {
        await rest(everyMs);
        const taken = students.map((student) => student.take());
        whole.push(taken);
        context.out(lineOf(`${((row * everyMs) / 1000).toFixed(0)} s`, rowOf(taken, everyMs / 1000)));
      }
      const sums = students.map((_, index): LoadTaken => {
        const own = whole.flatMap((taken) => taken[index] ?? []);
        return {
          wanted: own.reduce((sum, { wanted }) => sum + wanted, 0),
          observations: own.reduce((sum, { observations }) => sum + observations, 0),
          latenciesMs: own.flatMap(({ latenciesMs }) => latenciesMs),
          isConnected: own.every(({ isConnected }) => isConnected),
          isLowered: own.some(({ isLowered }) => isLowered),
        };
      });
      const total = rowOf(sums, minutes * 60);
      context.out(lineOf('whole', total));
      const faults = [
        ...(total.p99Ms > mostMs ? [`p99 is ${total.p99Ms.toFixed(0)} ms, at most ${mostMs} are allowed`] : []),
        ...(total.servedPercent < leastPercent
          ? [`${total.servedPercent.toFixed(1)} % of the pictures are answered, at least ${leastPercent} are wanted`]
          : []),
        ...(total.disconnected > 0 ? [`${total.disconnected} students lost the connection`] : []),
        ...(total.lowered > 0 ? [`${total.lowered} students were asked for less: the gateway is overloaded`] : []),
      ];
      for (const fault of faults) context.err(fault);
      return faults.length === 0 ? 0 : 1;
    } finally {
      await Promise.all(students.map((student) => student.stop()));
    }
  },
};
