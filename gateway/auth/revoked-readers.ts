/** Readers remembered at most. */
const MAX_REVOKED = 10_000;

/** Readers whose tickets and tokens of before a moment are taken no more. */
export interface ReaderRevocations {
  /** Revokes what this reader holds now (UTC ms). */
  revoke(userId: number, nowMs: number): void | Promise<void>;
  /** True for a ticket or token of this reader that was issued (UTC s) no later than the revocation. */
  isRevoked(userId: number, issuedAtS: number): boolean | Promise<boolean>;
}

/**
 * Held in memory of one gateway for as long as such a token could live: this one after a restart does not know them. Where that matters,
 * change the secret.
 */
export class RevokedReaders implements ReaderRevocations {
  readonly #lifetimeMs: number;
  readonly #revokedAtS = new Map<number, number>();
  /** All tokens from before this moment are revoked, of every reader: the list was full. */
  #everyoneAtS = Number.NEGATIVE_INFINITY;

  /** `lifetimeMs`: the longest that a ticket or token lives. */
  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  /** Revokes what this reader holds now (UTC ms). A full list revokes what all readers hold: they sign in again. */
  revoke(userId: number, nowMs: number): void {
    const nowS = Math.floor(nowMs / 1000);
    const oldestS = nowS - Math.ceil(this.#lifetimeMs / 1000);
    for (const [id, atS] of this.#revokedAtS) if (atS < oldestS) this.#revokedAtS.delete(id);
    if (this.#revokedAtS.size >= MAX_REVOKED) {
      this.#revokedAtS.clear();
      this.#everyoneAtS = nowS;
    }
    this.#revokedAtS.set(userId, nowS);
  }

  /** True for a ticket or token of this reader that was issued (UTC s) no later than the revocation. */
  isRevoked(userId: number, issuedAtS: number): boolean {
    return issuedAtS <= Math.max(this.#everyoneAtS, this.#revokedAtS.get(userId) ?? Number.NEGATIVE_INFINITY);
  }
}
