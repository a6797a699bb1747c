/** A school behind one address comes back at once when its gateway restarts; each is admitted within a moment. */
export const NEWCOMERS_PER_ADDRESS = 256;
/** Of all addresses together. */
export const MOST_NEWCOMERS = 2048;

/**
 * Connections that nobody has been admitted on. Students are one per ticket and at most MAX_SESSIONS; those who have
 * shown no ticket are kept few here, by the owner of the address and all together.
 */
export class Newcomers {
  readonly #byOwner = new Map<string, number>();
  #count = 0;

  /** One more; returns how to let it go (safe to call twice), or null where there are too many already. */
  enter(owner: string): (() => void) | null {
    const own = this.#byOwner.get(owner) ?? 0;
    if (own >= NEWCOMERS_PER_ADDRESS || this.#count >= MOST_NEWCOMERS) return null;
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
