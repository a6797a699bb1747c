import type { SessionAccount } from './account.ts';

/** Sessions of one student that may wait to be resumed, e.g. of several lessons left one after another. */
export const MAX_DETACHED_PER_STUDENT = 4;

interface Detached {
  readonly account: SessionAccount;
  readonly timer: NodeJS.Timeout;
}

/** Sessions whose connection is gone and that may be resumed for `graceMs`. */
export class DetachedSessions {
  readonly #graceMs: number;
  readonly #onEnd: (account: SessionAccount) => void;
  /** By student, then by session, in the order in which they were detached. */
  readonly #byStudent = new Map<number, Map<string, Detached>>();
  #count = 0;

  /** `onEnd` is called with a session that was not resumed in time, or had to make place. */
  constructor(graceMs: number, onEnd: (account: SessionAccount) => void) {
    this.#graceMs = graceMs;
    this.#onEnd = onEnd;
  }

  get count(): number {
    return this.#count;
  }

  has(userId: number, sessionId: string): boolean {
    return this.#byStudent.get(userId)?.has(sessionId) ?? false;
  }

  /** One more waits. Of one student only so many: the one that has waited longest ends. */
  add(account: SessionAccount): void {
    const { userId, sessionId } = account;
    const own = this.#byStudent.get(userId) ?? new Map<string, Detached>();
    this.#byStudent.set(userId, own);
    const timer = setTimeout(() => this.#end(account), this.#graceMs);
    own.set(sessionId, { account, timer });
    this.#count += 1;
    const [oldest] = own.values();
    if (oldest !== undefined && own.size > MAX_DETACHED_PER_STUDENT) this.#end(oldest.account);
  }

  /** Takes a session out, to be resumed; null where it does not wait here. */
  take(userId: number, sessionId: string): SessionAccount | null {
    const own = this.#byStudent.get(userId);
    const detached = own?.get(sessionId);
    if (own === undefined || detached === undefined) return null;
    clearTimeout(detached.timer);
    own.delete(sessionId);
    if (own.size === 0) this.#byStudent.delete(userId);
    this.#count -= 1;
    return detached.account;
  }

  students(): Iterable<number> {
    return this.#byStudent.keys();
  }

  /** Sessions of a student that wait, in the order in which they were detached. */
  of(userId: number): SessionAccount[] {
    return [...(this.#byStudent.get(userId)?.values() ?? [])].map(({ account }) => account);
  }

  /** Takes out all sessions of a student, in the order in which they were detached. */
  takeStudent(userId: number): SessionAccount[] {
    const sessionIds = [...(this.#byStudent.get(userId)?.keys() ?? [])];
    return sessionIds.flatMap((sessionId) => this.take(userId, sessionId) ?? []);
  }

  /** Drops the sessions of a student without ending them. */
  forgetStudent(userId: number): void {
    this.takeStudent(userId);
  }

  /** Drops all without ending them. */
  forgetAll(): void {
    for (const userId of [...this.#byStudent.keys()]) this.forgetStudent(userId);
  }

  #end({ userId, sessionId }: SessionAccount): void {
    const account = this.take(userId, sessionId);
    if (account !== null) this.#onEnd(account);
  }
}
