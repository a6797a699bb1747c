import type { SessionAccount, TakenSpan } from './account.ts';

/** What a gateway has of a student, as it is handed to another one: plain JSON, with all times in UTC. */
export interface StudentState {
  /** Sessions that may be resumed, in the order in which their connections ended. */
  readonly accounts: readonly SessionAccount[];
  /** Time that is booked already, and by which session. */
  readonly spans: readonly TakenSpan[];
}

export const NO_STUDENT_STATE: StudentState = { accounts: [], spans: [] };

/** Which gateway has which student: one of all gateways has everything of a student that is not in the store yet. */
export interface Ownership {
  /**
   * Makes this gateway the student's owner and resolves with what another gateway had of them, or with `unknown` where that
   * cannot be found out now. Never rejects, and takes a bounded time. With `isResuming` there is a session somewhere.
   */
  claim(userId: number, isResuming: boolean): Promise<StudentState | 'unknown'>;
  /** False once another gateway has taken the student over. */
  holds(userId: number): boolean;
}

/** Ownership of a gateway that stands alone: every student is its own. */
export const ALONE: Ownership = {
  claim: async () => NO_STUDENT_STATE,
  holds: () => true,
};
