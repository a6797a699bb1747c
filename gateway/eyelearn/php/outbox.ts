import type { PhpAccount, PhpDelta } from './delta.ts';

/** Posts stay known for this long, so that uncertain ones of the same day can be told from them. */
export const KEEP_POSTS_MS = 3 * 86_400_000;

/** Focused and unfocused time of one window, and where it belongs. */
export interface PhpTime {
  readonly userId: number;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly atMs: number;
  readonly isFinal: boolean;
}

/** One post as it is noted. */
export interface RememberedPost extends PhpDelta {
  readonly id: number;
  readonly userId: number;
  readonly moduleId: number;
  readonly sectionKey: number;
  readonly postedAtMs: number;
  readonly status: 'in_flight' | 'uncertain' | 'stored';
}

/** A student and module: the endpoint adds up the time of both, whatever the lesson section. */
export interface Place {
  readonly userId: number;
  readonly moduleId: number;
}

export const placeKey = ({ userId, moduleId }: Place): string => `${userId}/${moduleId}`;

/**
 * What is to be posted to PHP and what was: accounts and posts, in the queue's file or in notes that all gateways share. The caller makes
 * sure that there is one call at a time. What is written rejects with `spool_failed` or `part_lost`.
 */
export interface PhpOutbox {
  accounts(): Promise<PhpAccount[]>;
  /**
   * Stops the posts of students and modules while the database may be taking their time, or allows them again. Written down,
   * because after a crash it is not known which of the two has it.
   */
  lockPosts(places: readonly Place[], isLocked: boolean): Promise<void>;
  /** Notes a post before its body is sent, and resolves with its id; null if the account has been deleted meanwhile. */
  begin(account: PhpAccount, delta: PhpDelta, postedAtMs: number): Promise<number | null>;
  /** Notes the outcome of a post. A refused one is forgotten: its time counts as not posted again. */
  end(id: number, kind: 'stored' | 'refused' | 'uncertain', nowMs: number): Promise<void>;
  /** Posts that were in flight when the process ended are uncertain. Resolves with their number. */
  recover(): Promise<number>;
  postsOf(userId: number, moduleId: number): Promise<RememberedPost[]>;
  /** Posts in flight and uncertain ones. */
  openPosts(): Promise<RememberedPost[]>;
  /** Modules of which there is time or a post of the student. */
  modulesOf(userId: number): Promise<number[]>;
  /** Deletes accounts and posts of a student. */
  forgetStudent(userId: number): Promise<void>;
  forgetOld(nowMs: number): Promise<void>;
  /** Adds time within what the caller writes. */
  add(time: PhpTime): void;
  /** Takes time away within what the caller writes, with the part of it that PHP has stored. */
  remove(time: PhpTime & { readonly sentFocusedMs: number; readonly sentUnfocusedMs: number }): void;
}
