import { ProtocolError } from '../../shared/protocol/errors.ts';
import type { SessionAccount, TakenSpan } from './account.ts';
import { type BucketLimits, fullBucket, type TokenBucket, takeTokens } from './token-bucket.ts';

/** Connections of one student: the burst is a network that comes and goes, the rate what backoff leaves for long. */
export const HELLO_LIMITS: BucketLimits = { perSecond: 0.5, burst: 30 };
/** As long as a resume token lasts: after it no earlier session can be resumed. */
const REMEMBERED_MS = 12 * 3600 * 1000;
/** Digests of observations of a student's sessions that are remembered, the newest. */
const MAX_SAMPLES = 512;
/** Spans of one student that are kept apart; beyond it the oldest two become one. */
export const MAX_SPANS = 64;

interface StudentRecord {
  readonly hellos: TokenBucket;
  /** On the monotonic clock, sorted by their beginning. */
  readonly spans: readonly TakenSpan[];
  /** Of observations, by session: what is played again later is found by them. */
  readonly samples: ReadonlyMap<string, readonly number[]>;
  readonly seenAtMs: number;
}

function moved(span: TakenSpan, byMs: number): TakenSpan {
  return { ...span, fromMs: span.fromMs + byMs, untilMs: span.untilMs + byMs };
}

/** Spans sorted by their beginning; those of one session that touch become one, and of too many the first ones. */
function joined(spans: readonly TakenSpan[]): readonly TakenSpan[] {
  const sorted = spans.toSorted((one, other) => one.fromMs - other.fromMs);
  const kept: TakenSpan[] = [];
  for (const [index, each] of sorted.entries()) {
    const last = kept.at(-1);
    const isSurplus = kept.length === 1 && sorted.length - index >= MAX_SPANS;
    if (last !== undefined && (isSurplus || (last.sessionId === each.sessionId && last.untilMs >= each.fromMs))) {
      kept[kept.length - 1] = { ...last, untilMs: Math.max(last.untilMs, each.untilMs) };
    } else kept.push(each);
  }
  return kept;
}

/** The digests with those of a session, the newest sessions' alone where there are too many. */
function withSamples(
  samples: ReadonlyMap<string, readonly number[]>,
  { sessionId, suspicion }: SessionAccount,
): ReadonlyMap<string, readonly number[]> {
  if (suspicion.samples.length === 0) return samples;
  const all = new Map(samples);
  all.delete(sessionId);
  all.set(sessionId, suspicion.samples);
  let count = [...all.values()].reduce((sum, { length }) => sum + length, 0);
  for (const [oldest, { length }] of all) {
    if (count <= MAX_SAMPLES) break;
    all.delete(oldest);
    count -= length;
  }
  return all;
}

/**
 * Which time of each student is booked already, and by which session, so that no moment is booked twice; and digests of what their
 * devices sent, so that it is noticed when it is sent again. It is kept in memory, on the monotonic clock. A session that is
 * read from the store brings what is stored of the student's others.
 */
export class StudentTimes {
  /** In the order in which they were seen last. */
  readonly #students = new Map<number, StudentRecord>();

  /** A student connects. Throws ProtocolError `rate_exceeded`. `monotonicMs` is the moment. */
  hello(userId: number, monotonicMs: number): void {
    const before = this.#students.get(userId);
    const hellos = before?.hellos ?? fullBucket(HELLO_LIMITS, monotonicMs);
    const drawn = takeTokens(hellos, HELLO_LIMITS, monotonicMs, 1);
    this.#keep(userId, { spans: [], samples: new Map(), ...before, hellos: drawn.bucket, seenAtMs: monotonicMs });
    if (!drawn.taken) throw new ProtocolError('rate_exceeded', 'too many connections of this student; try again soon');
  }

  /** What the account counted since its connection was admitted is booked. */
  book(account: SessionAccount, monotonicMs: number): void {
    const { userId, sessionId, clockZeroMs, clockOffsetMs, epochFromMs, lastCaptureMs } = account;
    const known = this.#students.get(userId);
    const before = known === undefined ? undefined : { ...known, samples: withSamples(known.samples, account) };
    if (before !== undefined) this.#keep(userId, { ...before, seenAtMs: monotonicMs });
    if (clockZeroMs === null || before === undefined || lastCaptureMs <= epochFromMs) return;
    const zeroMs = clockZeroMs - clockOffsetMs;
    const span = { sessionId, fromMs: zeroMs + epochFromMs, untilMs: zeroMs + lastCaptureMs };
    this.#keep(userId, { ...before, spans: joined([...before.spans, span]), seenAtMs: monotonicMs });
  }

  /** What is booked of a student, in the UTC of a connection's clock. */
  spansOf(userId: number, offsetMs: number): readonly TakenSpan[] {
    return (this.#students.get(userId)?.spans ?? []).map((span) => moved(span, offsetMs));
  }

  /** Takes in what another gateway has booked of a student who has connected here, in the UTC of the connection's clock. */
  adopt(userId: number, spans: readonly TakenSpan[], offsetMs: number): void {
    const before = this.#students.get(userId);
    if (before === undefined || spans.length === 0) return;
    const all = [...before.spans, ...spans.map((span) => moved(span, -offsetMs))];
    this.#keep(userId, { ...before, spans: joined(all) });
  }

  /** What other sessions of the student have of the time after `afterMs`, UTC, in the account's own UTC. */
  takenFrom({ userId, sessionId, clockOffsetMs }: SessionAccount, afterMs: number): readonly TakenSpan[] {
    return (this.#students.get(userId)?.spans ?? [])
      .map((span) => moved(span, clockOffsetMs))
      .filter((span) => span.sessionId !== sessionId && span.untilMs > afterMs);
  }

  /** Digests of observations of the student's other sessions. */
  samplesBeside({ userId, sessionId }: Pick<SessionAccount, 'userId' | 'sessionId'>): readonly number[] {
    const samples = this.#students.get(userId)?.samples ?? new Map<string, readonly number[]>();
    return [...samples].flatMap(([id, digests]) => (id === sessionId ? [] : digests));
  }

  /** The student's data is deleted: nothing of them is remembered. */
  forget(userId: number): void {
    this.#students.delete(userId);
  }

  #keep(userId: number, record: StudentRecord): void {
    this.#students.delete(userId);
    this.#students.set(userId, record);
    for (const [oldest, { seenAtMs }] of this.#students) {
      if (record.seenAtMs - seenAtMs < REMEMBERED_MS) break;
      this.#students.delete(oldest);
    }
  }
}
