import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Logger } from '../lib/logger.ts';
import { inParallel } from '../lib/parallel.ts';
import { within } from '../lib/timeout.ts';
import { NO_STUDENT_STATE, type Ownership, type StudentState } from '../session/ownership.ts';
import type { Sessions } from '../session/sessions.ts';
import type { CheckpointStream, WrittenCheckpoints } from './checkpoints.ts';
import type { KeptCheckpoints, KeptState } from './kept-checkpoints.ts';
import type { OwnerBucket, OwnerEntry } from './owners.ts';
import type { Answer, Peers } from './peers.ts';
import { type ReviveDependencies, revive } from './revive.ts';

/** A student who connects waits no longer for what the other gateways know. */
const CLAIM_WITHIN_MS = 3000;
const BUCKET_WITHIN_MS = 600;
/** Longer than a gateway may be without a turn before it knows that it may have lost its students. */
const HAND_OVER_WITHIN_MS = 1500;
/** For the question back whether the answer is still awaited, and for the answer after it. */
const AWAITED_WITHIN_MS = 500;
const CHECK_WITHIN_MS = 1500;
const KEPT_WITHIN_MS = 400;
/** What a gateway wrote last is read once for all its students who come here together. */
const CHECKPOINTS_VALID_MS = 2000;
const AT_ONCE = 16;
/** The windows of a student who was handed over are saved by then. */
const HANDED_MS = 60_000;

/** How students came here, and how they left. */
export interface OwnershipCounts {
  /** Taken over with an answer of the gateway before, from its checkpoint, or with nothing to take over. */
  readonly takenOver: Readonly<Record<'handed' | 'checkpoint' | 'nothing' | 'unknown', number>>;
  readonly handedOver: number;
  readonly lost: number;
}

export interface ClusterOwnershipOptions extends ReviveDependencies {
  readonly peers: Pick<Peers, 'id' | 'isLapsed' | 'others' | 'ask' | 'askAll'>;
  readonly owners: Pick<OwnerBucket, 'take' | 'find'>;
  readonly checkpoints: Pick<CheckpointStream, 'read'>;
  readonly kept: Pick<KeptCheckpoints, 'stateOf'>;
  readonly sessions: () => Pick<Sessions, 'handOver' | 'lose' | 'adopt' | 'students'>;
  readonly address: () => string;
  /** UTC ms at 0 of the monotonic clock. */
  readonly offsetMs: () => number;
  readonly logger: Logger;
}

interface HandedOver {
  readonly state: StudentState | null;
}

/** A student's hand-over, as one gateway speaks of it to another. */
export interface HandOverQuestion {
  readonly userId: number;
  /** The gateway that asks; a version that cannot be asked back leaves it out. */
  readonly from?: string;
}

/**
 * Which of several gateways has which student: the entry in the bucket decides. A student who connects is taken over from the
 * gateway that has them, by its answer; where it gives none, from what it wrote last.
 */
export class ClusterOwnership implements Ownership {
  readonly #options: ClusterOwnershipOptions;
  /** Students of this gateway; not `isSure` where the bucket could not be asked. */
  readonly #owned = new Map<number, { readonly isSure: boolean }>();
  readonly #claiming = new Map<number, Promise<unknown>>();
  /** Hand-overs that are awaited here, by gateway and student; `isConfirmed` once that gateway was told so. */
  readonly #awaited = new Map<string, { isConfirmed: boolean }>();
  readonly #read = new Map<string, { readonly atMs: number; readonly written: Promise<WrittenCheckpoints | null> }>();
  /** Students handed over lately, and when: what was counted of them before is not taken over by any other way. */
  readonly #handed = new Map<number, number>();
  readonly #takenOver = { handed: 0, checkpoint: 0, nothing: 0, unknown: 0 };
  #handedOver = 0;
  #lost = 0;
  /** Others may have taken students over without this gateway's knowledge, and it has not checked yet. */
  #checking: Promise<void> | null = null;
  #isRetrying = false;

  constructor(options: ClusterOwnershipOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#owned.size;
  }

  get counts(): OwnershipCounts {
    return { takenOver: { ...this.#takenOver }, handedOver: this.#handedOver, lost: this.#lost };
  }

  /** True while it is not known which students others have taken over. */
  get isInDoubt(): boolean {
    return this.#checking !== null || this.#options.peers.isLapsed;
  }

  holds(userId: number): boolean {
    return this.#owned.has(userId);
  }

  async claim(userId: number, isResuming: boolean): Promise<StudentState | 'unknown'> {
    if (this.#owned.get(userId)?.isSure === true && !this.isInDoubt) return NO_STUDENT_STATE;
    const claiming = this.#claim(userId, isResuming);
    this.#claiming.set(userId, claiming);
    const claimed = await within(claiming, CLAIM_WITHIN_MS, 'late' as const);
    if (this.#claiming.get(userId) === claiming) this.#claiming.delete(userId);
    if (claimed === 'late') {
      if (!this.#owned.has(userId)) this.#owned.set(userId, { isSure: false });
      void claiming.then((state) => this.#adopt(userId, state));
      return 'unknown';
    }
    return claimed;
  }

  /**
   * Answers a gateway that takes a student over, if it still waits: one that has given up waiting has taken the checkpoint, and
   * what is here is no longer true.
   */
  async handOver({ userId, from }: HandOverQuestion): Promise<HandedOver> {
    await this.#claiming.get(userId);
    // What this gateway has just taken over itself is taken in by now.
    await nextTurn();
    if (!this.#owned.has(userId)) return { state: null };
    const isAwaited = from === undefined ? !this.isInDoubt : await this.#isAwaitedBy(from, userId);
    if (!isAwaited) {
      this.#lose(userId, 'superseded');
      return { state: null };
    }
    if (!this.#owned.delete(userId)) return { state: null };
    this.#handedOver += 1;
    const nowMs = performance.now();
    for (const [id, atMs] of this.#handed) if (nowMs - atMs > HANDED_MS) this.#handed.delete(id);
    this.#handed.set(userId, nowMs);
    return { state: this.#options.sessions().handOver(userId, this.#options.offsetMs()) };
  }

  /** Whether this gateway still waits for `from` to hand a student over; if so, it waits long enough for the answer. */
  isAwaiting({ userId, from }: HandOverQuestion): boolean {
    const awaited = this.#awaited.get(`${from} ${userId}`);
    if (awaited === undefined) return false;
    awaited.isConfirmed = true;
    return true;
  }

  /** Whether a window that was counted here may be saved: not where another gateway has taken the student over meanwhile. */
  async maySave({ userId, sessionId }: MetricsWindow): Promise<boolean> {
    if (!this.isInDoubt || this.#handed.has(userId)) return true;
    const entry = await this.#find(userId);
    if (entry === 'unknown' || entry === null || entry.gateway === this.#options.peers.id) return true;
    // It may have been handed over meanwhile.
    if ((await this.#isAwaitedBy(entry.gateway, userId)) || this.#handed.has(userId)) return true;
    this.#options.logger.warn({ sessionId }, 'a window is dropped: another gateway has taken the student over');
    return false;
  }

  /** Checks which students are still here, after this gateway had no turn or no connection for a while. */
  check(): void {
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = null;
    });
  }

  /** Claims students again whom the bucket could not be asked for. */
  async retry(): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    try {
      const unsure = [...this.#owned].filter(([, { isSure }]) => !isSure).map(([userId]) => userId);
      await inParallel(unsure, AT_ONCE, async (userId) => this.#adopt(userId, await this.#claim(userId, true)));
    } finally {
      this.#isRetrying = false;
    }
  }

  /** Nothing is here any more: what there was is in the checkpoint. */
  forget(): void {
    this.#owned.clear();
  }

  async #claim(userId: number, isResuming: boolean): Promise<StudentState | 'unknown'> {
    const { owners, peers, address } = this.#options;
    const taking = owners.take(userId, { gateway: peers.id, address: address() });
    const before = await within(
      taking.catch(() => 'unknown' as const),
      BUCKET_WITHIN_MS,
      'unknown' as const,
    );
    if (before === 'unknown') return this.#claimWithoutBucket(userId);
    const wasOwned = this.#owned.get(userId)?.isSure === true;
    this.#handed.delete(userId);
    this.#owned.set(userId, { isSure: true });
    if (before?.gateway === peers.id && wasOwned) return NO_STUDENT_STATE;
    if (before === null) {
      // A bucket that was lost with its servers, or that took no entry when the student came.
      return (isResuming ? await this.#findAmongOthers(userId) : null) ?? NO_STUDENT_STATE;
    }
    const sources = new Set([before.gateway, before.from].filter((id) => id !== null));
    for (const gatewayId of sources) {
      const state = await this.#stateAt(gatewayId, userId).catch(() => 'unknown' as const);
      if (state === 'unknown') {
        this.#takenOver.unknown += 1;
        return 'unknown';
      }
      if (state !== null) return state;
    }
    if (before.gateway !== null && before.gateway !== peers.id) this.#takenOver.nothing += 1;
    return NO_STUDENT_STATE;
  }

  /** Streams of NATS have no leader for some seconds when a server is lost; gateways hear each other all the same. */
  async #claimWithoutBucket(userId: number): Promise<StudentState | 'unknown'> {
    if (!this.#owned.has(userId)) this.#owned.set(userId, { isSure: false });
    const state = await this.#findAmongOthers(userId);
    if (state !== null) return state;
    this.#takenOver.unknown += 1;
    return 'unknown';
  }

  /** What the other gateways have of a student, or had that were there a moment ago; null where that is nothing. */
  async #findAmongOthers(userId: number): Promise<StudentState | null> {
    const { peers } = this.#options;
    const others = peers.others();
    const answers = await Promise.all(
      others.map(({ id }) =>
        this.#askForHandOver(id, userId, BUCKET_WITHIN_MS).catch(() => ({ kind: 'late' as const })),
      ),
    );
    for (const answer of answers) {
      if (answer.kind !== 'answer' || answer.body.state === null) continue;
      this.#takenOver.handed += 1;
      return answer.body.state;
    }
    // One that was heard a moment ago and is there no more may have had the student.
    const gone = others.filter((_, index) => answers[index]?.kind === 'absent');
    for (const { id } of gone) {
      const state = await this.#reviveOf(id, userId).catch(() => null);
      if (state !== null) return state;
    }
    return null;
  }

  /** What a gateway has of a student, or had when it wrote last; null where that is nothing. */
  async #stateAt(gatewayId: string, userId: number): Promise<StudentState | null> {
    const { peers } = this.#options;
    if (gatewayId !== peers.id) {
      const answer = await this.#askForHandOver(gatewayId, userId, HAND_OVER_WITHIN_MS);
      if (answer.kind === 'answer' && answer.body.state !== null) {
        this.#takenOver.handed += 1;
        return answer.body.state;
      }
    }
    return this.#reviveOf(gatewayId, userId);
  }

  /** Asks a gateway for what it has of a student. Where it has asked back in time, its answer is waited for a little longer. */
  async #askForHandOver(gatewayId: string, userId: number, withinMs: number): Promise<Answer<HandedOver>> {
    const { peers } = this.#options;
    const key = `${gatewayId} ${userId}`;
    const awaited = { isConfirmed: false };
    this.#awaited.set(key, awaited);
    const question: HandOverQuestion = { userId, from: peers.id };
    const asked = peers.ask<HandedOver>(gatewayId, 'hand-over', question, withinMs + AWAITED_WITHIN_MS);
    try {
      const answer = await within(asked, withinMs, null);
      if (answer !== null) return answer;
      if (awaited.isConfirmed) return await asked;
      asked.catch(() => undefined);
      return { kind: 'late' };
    } finally {
      if (this.#awaited.get(key) === awaited) this.#awaited.delete(key);
    }
  }

  /** Whether a gateway that has made itself the owner of a student still waits for what is here. */
  async #isAwaitedBy(gatewayId: string | null, userId: number): Promise<boolean> {
    if (gatewayId === null) return false;
    const { peers } = this.#options;
    const question: HandOverQuestion = { userId, from: peers.id };
    const answer = await peers
      .ask<boolean>(gatewayId, 'is-awaiting', question, AWAITED_WITHIN_MS)
      .catch(() => ({ kind: 'late' as const }));
    return answer.kind === 'answer' && answer.body;
  }

  /** What a gateway that gives no answer had of a student, with its open windows booked; null where that is nothing. */
  async #reviveOf(gatewayId: string, userId: number): Promise<StudentState | null> {
    const state = await this.newestOf(gatewayId, userId);
    if (state === null) return null;
    const accounts = await Promise.all(state.accounts.map((account) => revive(account, this.#options)));
    this.#takenOver.checkpoint += 1;
    return { ...state, accounts };
  }

  /**
   * What a gateway wrote last of a student, by the stream or by the gateway that keeps what it sent: null where that is
   * nothing. Rejects where neither is known.
   */
  async newestOf(gatewayId: string, userId: number): Promise<StudentState | null> {
    const { peers, kept } = this.#options;
    const [written, others] = await Promise.all([
      within(
        this.#writtenBy(gatewayId).catch(() => 'unknown' as const),
        BUCKET_WITHIN_MS,
        'unknown' as const,
      ),
      peers
        .askAll<KeptState | null>('kept', { gatewayId, userId }, KEPT_WITHIN_MS, gatewayId)
        .catch(() => ({ rows: [] as readonly (KeptState | null)[] })),
    ]);
    const found = [...others.rows, kept.stateOf(gatewayId, userId)].filter((each) => each !== null);
    if (written !== 'unknown' && written !== null) {
      const state = written.byStudent.get(userId);
      // A later write without the student: all of them was saved by then.
      const generation = written.generation;
      if (state !== undefined) found.push({ generation, state });
      else if (found.every((each) => each.generation < generation)) return null;
    }
    if (found.length === 0 && written === 'unknown') {
      throw new RelayError('nats_unreachable', 'what the gateway wrote last is not known');
    }
    return found.toSorted((one, other) => one.generation - other.generation).at(-1)?.state ?? null;
  }

  #writtenBy(gatewayId: string): Promise<WrittenCheckpoints | null> {
    const nowMs = performance.now();
    for (const [id, { atMs }] of this.#read) if (nowMs - atMs > CHECKPOINTS_VALID_MS) this.#read.delete(id);
    const known = this.#read.get(gatewayId);
    if (known !== undefined) return known.written;
    const written = this.#options.checkpoints.read(gatewayId);
    written.catch(() => this.#read.delete(gatewayId));
    this.#read.set(gatewayId, { atMs: nowMs, written });
    return written;
  }

  #adopt(userId: number, state: StudentState | 'unknown'): void {
    if (state === 'unknown' || !this.#owned.has(userId)) return;
    this.#options.sessions().adopt(userId, state, this.#options.offsetMs());
  }

  async #checkAll(): Promise<void> {
    const { sessions, peers, owners, address } = this.#options;
    const present = new Set(sessions().students());
    for (const userId of this.#owned.keys()) {
      if (!present.has(userId) && !this.#claiming.has(userId)) this.#owned.delete(userId);
    }
    await inParallel([...present], AT_ONCE, async (userId) => {
      if (this.#owned.get(userId)?.isSure !== true) return;
      const entry = await this.#find(userId);
      if (entry === 'unknown' || entry?.gateway === peers.id) return;
      if (entry === null) {
        // The bucket was in memory, and its servers were lost.
        await owners.take(userId, { gateway: peers.id, address: address() }).catch(() => undefined);
        return;
      }
      // Its question is on the way here.
      if (await this.#isAwaitedBy(entry.gateway, userId)) return;
      this.#lose(userId, entry.gateway === null ? 'drain' : 'superseded');
    });
  }

  #lose(userId: number, reason: 'superseded' | 'drain'): void {
    if (!this.#owned.delete(userId)) return;
    this.#lost += 1;
    this.#options.logger.warn({ userId }, 'another gateway has taken a student over meanwhile');
    this.#options.sessions().lose(userId, reason);
  }

  async #find(userId: number): Promise<OwnerEntry | null | 'unknown'> {
    const found = this.#options.owners.find(userId).catch((error: unknown) => {
      this.#options.logger.debug({ reason: describeError(error) }, 'the owner of a student is not known');
      return 'unknown' as const;
    });
    return within(found, CHECK_WITHIN_MS, 'unknown' as const);
  }
}
