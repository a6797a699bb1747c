import { availableParallelism } from 'node:os';
import { cpuMsOf, treeUsageOf } from '../lib/process-usage.ts';
import { median, quantile } from '../lib/stats.ts';
import type { BenchClip } from './clip.ts';
import { type Contender, openStand, type Stand } from './contenders.ts';
import type { BenchStudent } from './players.ts';

/** What one contender did with one number of students. Per student where nothing else is said; latency as a page sees it. */
export interface Figures {
  readonly cpuMsPerObservation: {
    readonly whole: number;
    readonly gateway: number | null;
    readonly inference: number | null;
  };
  readonly cpuMsPerStudentSecond: number;
  /** Sum of the most that each process held. */
  readonly peakRssMb: number;
  readonly upBytesPerObservation: number;
  readonly downBytesPerObservation: number;
  /** Of one student, mean. */
  readonly observationsPerSecond: number;
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
  /** Of one student's whole session, mean: what the platform has, and how long the student was present and looking at the screen. */
  readonly storedFocusSeconds: number;
  readonly trueFocusSeconds: number;
}

/** Figures of one measurement, with what says how far to trust them. */
export interface Measured {
  readonly figures: Figures;
  readonly coldStartMs: number;
  /** Observations over what the pages were about to send, 0–1; of the student who had the fewest, too. */
  readonly servedShare: number;
  readonly worstServedShare: number;
  /** True where an overloaded server asked a student for less. */
  readonly lowered: boolean;
  /** Share of all cores that this process took, 0–1. */
  readonly generatorShare: number;
}

export interface Setting {
  readonly contender: Contender;
  readonly students: number;
  readonly clip: BenchClip;
  readonly python: string | null;
  readonly forMs: number;
  /** Read back what is stored; without it those figures are NaN. */
  readonly readsBack: boolean;
}

/** Node compiles most of what runs often within this time; a school's service runs all day. */
const WARM_MS = 12_000;
const OPENING_AT_ONCE = 20;
const rest = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function usage({ pids }: Stand) {
  const trees = await Promise.all(pids.whole.map(treeUsageOf));
  const sum = (pick: 'cpuMs' | 'peakRssMb') => trees.reduce((total, tree) => total + (tree?.[pick] ?? Number.NaN), 0);
  return {
    wholeMs: sum('cpuMs'),
    gatewayMs: pids.gateway === null ? null : await cpuMsOf(pids.gateway),
    inferenceMs: pids.inference === null ? null : await cpuMsOf(pids.inference),
    peakRssMb: sum('peakRssMb'),
  };
}

function bytesOf(students: readonly BenchStudent[]) {
  return {
    up: students.reduce((sum, { bytes }) => sum + bytes.up, 0),
    down: students.reduce((sum, { bytes }) => sum + bytes.down, 0),
  };
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const ratio = (before: number | null, after: number | null, count: number) =>
  before === null || after === null ? null : (after - before) / count;

/** Fresh services, students who come one after the other, a warm-up, then the measured time. */
export async function measure(setting: Setting): Promise<Measured> {
  const { contender, clip, python, forMs, readsBack } = setting;
  const stand = await openStand(contender, clip, python);
  const students: BenchStudent[] = [];
  try {
    for (let index = 0; index < setting.students; index += OPENING_AT_ONCE) {
      const some = Array.from({ length: Math.min(OPENING_AT_ONCE, setting.students - index) }, async (_, offset) => {
        const student = await stand.open(index + offset);
        students.push(student);
        student.play(index + offset);
      });
      await Promise.all(some);
    }
    await rest(WARM_MS);
    for (const student of students) student.take();
    const startedMs = performance.now();
    const before = await usage(stand);
    const ownBefore = process.cpuUsage();
    const bytesBefore = bytesOf(students);
    await rest(forMs);
    const own = process.cpuUsage(ownBefore);
    const after = await usage(stand);
    const bytes = bytesOf(students);
    const seconds = (performance.now() - startedMs) / 1000;
    const taken = students.map((student) => student.take());
    const observations = sumOf(taken.map((each) => each.observations));
    const latenciesMs = taken.flatMap((each) => each.latenciesMs);
    let stored = { storedFocusSeconds: Number.NaN, trueFocusSeconds: Number.NaN };
    if (readsBack) {
      // The clip's student looks at the screen all the time (harness/clips/cap12.labels.csv).
      const trueS = await Promise.all(students.map((student) => student.stop()));
      const storedS = await Promise.all(students.map((student) => stand.storedFocusS(student)));
      stored = {
        storedFocusSeconds: sumOf(storedS) / storedS.length,
        trueFocusSeconds: sumOf(trueS) / trueS.length,
      };
    }
    const shares = taken.map((each) => each.observations / Math.max(1, each.wanted));
    return {
      figures: {
        cpuMsPerObservation: {
          whole: (after.wholeMs - before.wholeMs) / observations,
          gateway: ratio(before.gatewayMs, after.gatewayMs, observations),
          inference: ratio(before.inferenceMs, after.inferenceMs, observations),
        },
        cpuMsPerStudentSecond: (after.wholeMs - before.wholeMs) / seconds / students.length,
        peakRssMb: after.peakRssMb,
        upBytesPerObservation: (bytes.up - bytesBefore.up) / observations,
        downBytesPerObservation: (bytes.down - bytesBefore.down) / observations,
        observationsPerSecond: observations / seconds / students.length,
        latencyMsP50: quantile(latenciesMs, 0.5),
        latencyMsP99: quantile(latenciesMs, 0.99),
        ...stored,
      },
      coldStartMs: stand.coldStartMs,
      servedShare: observations / Math.max(1, sumOf(taken.map((each) => each.wanted))),
      worstServedShare: Math.min(...shares),
      lowered: taken.some((each) => each.lowered),
      generatorShare: (own.user + own.system) / 1e6 / seconds / availableParallelism(),
    };
  } finally {
    for (const student of students) student.close();
    await stand.stop();
  }
}

/** Medians of the figures of several rounds. */
export function medianFigures(rounds: readonly Figures[]): Figures {
  const pick = (of: (figures: Figures) => number) => median(rounds.map(of));
  const part = (of: (figures: Figures) => number | null) => {
    const values = rounds.map(of).filter((value) => value !== null);
    return values.length === 0 ? null : median(values);
  };
  return {
    cpuMsPerObservation: {
      whole: pick((each) => each.cpuMsPerObservation.whole),
      gateway: part((each) => each.cpuMsPerObservation.gateway),
      inference: part((each) => each.cpuMsPerObservation.inference),
    },
    cpuMsPerStudentSecond: pick((each) => each.cpuMsPerStudentSecond),
    peakRssMb: pick((each) => each.peakRssMb),
    upBytesPerObservation: pick((each) => each.upBytesPerObservation),
    downBytesPerObservation: pick((each) => each.downBytesPerObservation),
    observationsPerSecond: pick((each) => each.observationsPerSecond),
    latencyMsP50: pick((each) => each.latencyMsP50),
    latencyMsP99: pick((each) => each.latencyMsP99),
    storedFocusSeconds: pick((each) => each.storedFocusSeconds),
    trueFocusSeconds: pick((each) => each.trueFocusSeconds),
  };
}
