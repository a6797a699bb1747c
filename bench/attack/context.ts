import { randomUUID } from 'node:crypto';
import { mintTicket } from '../../gateway/auth/ticket.ts';

/** What an attack has to work with: the product from outside, and numbers from a seed. */
export interface AttackContext {
  readonly url: string;
  readonly inferenceUrl: string;
  /** Whole numbers from 0 to `limit` − 1. */
  readonly below: (limit: number) => number;
  /** As many as the long form has; the short form has fewer. */
  readonly times: (long: number, short: number) => number;
  readonly secret: string;
}

/** An attack resolves with what was tried and what became of it, and rejects where the product did not hold. */
export interface Attack {
  readonly name: string;
  readonly run: (context: AttackContext) => Promise<string>;
}

/** A student's ticket, as the platform would give it. */
export function studentTicket(secret: string, userId: number): string {
  return mintTicket({ userId, moduleId: 1, role: 'student' }, secret, new Date(), randomUUID());
}

/** Throws with the sentence where the product did not hold. */
export function hold(isHeld: boolean, sentence: string): void {
  if (!isHeld) throw new Error(sentence);
}
