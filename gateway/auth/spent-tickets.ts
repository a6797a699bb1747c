import type { TicketUse } from './ticket.ts';

/** Tickets of a whole school within one ticket's life; each takes about 100 bytes. */
const MAX_TICKETS = 100_000;

/** Where tickets are spent: each once, at this gateway or over all of them. */
export interface TicketSpender {
  /** Spends a ticket at `nowMs`, UTC. False where it was spent before. */
  spend(use: TicketUse, nowMs: number): boolean | Promise<boolean>;
}

/** Tickets that were used and are not expired yet: each is good for one connection, or for one reader token. */
export class SpentTickets implements TicketSpender {
  /** UTC ms at which each may be forgotten, in the order in which they were spent. */
  readonly #untilMs = new Map<string, number>();

  /** Spends a ticket at `nowMs`, UTC. False where it was spent before. */
  spend({ id, expiresAtMs }: TicketUse, nowMs: number): boolean {
    if ((this.#untilMs.get(id) ?? Number.NEGATIVE_INFINITY) > nowMs) return false;
    if (this.#untilMs.size >= MAX_TICKETS) this.#makeRoom(nowMs);
    this.#untilMs.set(id, expiresAtMs);
    return true;
  }

  /** Forgets the expired ones; where there are none, the one spent first. */
  #makeRoom(nowMs: number): void {
    for (const [id, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(id);
    const [first] = this.#untilMs.keys();
    if (first !== undefined && this.#untilMs.size >= MAX_TICKETS) this.#untilMs.delete(first);
  }
}
