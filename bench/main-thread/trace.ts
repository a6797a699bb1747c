/** An event of Chromium's trace, as far as it is read here; times in µs. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** CPU time of the thread. */
  readonly tdur?: number;
  readonly args?: { readonly data?: { readonly url?: string; readonly functionName?: string } };
}

/** A task of the main thread. */
export interface Task {
  /** CPU time of the thread: what other processes took of the machine is not in it. */
  readonly ms: number;
  /** From the first event of the trace. */
  readonly atMs: number;
  /** After the first answer: the page is being used. */
  readonly whileTracking: boolean;
  /** What ran in it, the longest first. */
  readonly inside: readonly { readonly name: string; readonly ms: number }[];
}

const TASK = 'RunTask';
/** Mark that the page sets at its first answer. */
export const FIRST_ANSWER = 'first answer';

/** Tasks longer than `limitMs` of the thread that runs the script whose address ends in `script`, the longest first. */
export function longTasks(events: readonly TraceEvent[], script: string, limitMs: number): Task[] {
  const evaluated = events.find(
    ({ name, args }) => name === 'EvaluateScript' && args?.data?.url?.endsWith(script) === true,
  );
  if (evaluated === undefined) throw new Error(`the trace has no evaluation of ${script}`);
  const startUs = Math.min(...events.filter(({ ts }) => ts > 0).map(({ ts }) => ts));
  const answeredUs = events.find(({ name }) => name === FIRST_ANSWER)?.ts ?? Number.POSITIVE_INFINITY;
  const own = events.filter(
    ({ ph, pid, tid, tdur }) => ph === 'X' && pid === evaluated.pid && tid === evaluated.tid && tdur !== undefined,
  );
  return own
    .filter(({ name, tdur = 0 }) => name === TASK && tdur > limitMs * 1000)
    .map((task) => ({
      ms: (task.tdur ?? 0) / 1000,
      atMs: (task.ts - startUs) / 1000,
      whileTracking: task.ts > answeredUs,
      inside: own
        .filter((event) => event !== task && isWithin(event, task) && !event.name.endsWith(TASK))
        .toSorted((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0))
        .slice(0, 4)
        .map((event) => ({ name: nameOf(event), ms: (event.tdur ?? 0) / 1000 })),
    }))
    .toSorted((a, b) => b.ms - a.ms);
}

function isWithin(event: TraceEvent, task: TraceEvent): boolean {
  return event.ts >= task.ts && event.ts + (event.dur ?? 0) <= task.ts + (task.dur ?? 0);
}

function nameOf({ name, args }: TraceEvent): string {
  const detail = args?.data?.functionName || args?.data?.url?.split('/').at(-1);
  return detail === undefined || detail === '' ? name : `${name} ${detail}`;
}
