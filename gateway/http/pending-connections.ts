/** A school behind one address reconnects at once when its gateway restarts; each is admitted within a moment. */
export const MAX_PENDING_PER_ADDRESS = 256;
/** Of all addresses together. */
export const MAX_PENDING_CONNECTIONS = 2048;

/**
 * Connections without an admitted student. Students are one per ticket and at most MAX_SESSIONS; connections that have
 * shown no ticket are limited here, by the owner of the address and in all.
 */
export class PendingConnections {
  readonly #byOwner = new Map<string, number>();
  #count = 0;

  /** One more; returns what takes it out again (safe to call twice), or null where there are too many already. */
  enter(owner: string): (() => void) | null {
    const own = this.#byOwner.get(owner) ?? 0;
    if (own >= MAX_PENDING_PER_ADDRESS || this.#count >= MAX_PENDING_CONNECTIONS) return null;
    this.#byOwner.set(owner, own + 1);
    this.#count += 1;
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#count -= 1;
      const left = (this.#byOwner.get(owner) ?? 1) - 1;
      if (left === 0) this.#byOwner.delete(owner);
      else this.#byOwner.set(owner, left);
    };
  }
}
