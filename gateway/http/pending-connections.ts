/** A school behind one address reconnects at once when its gateway restarts; each is admitted within a moment. */
export const MAX_PENDING_PER_ADDRESS = 256;
/** Of all addresses together. */
export const MAX_PENDING_CONNECTIONS = 2048;

interface Pending {
  readonly owner: string;
  readonly drop: () => void;
}

/**
 * Connections that have shown no valid ticket, limited by the owner of the address and in all. One too many takes the
 * place of the oldest one of its address, or of all: refusing it would let those who show none keep out those who will.
 */
export class PendingConnections {
  /** In the order in which they came. */
  readonly #all = new Set<Pending>();
  readonly #byOwner = new Map<string, Set<Pending>>();

  /**
   * One more. `drop` disconnects it when another takes its place. Returns what takes it out again (safe to call twice),
   * to be called when it shows a valid ticket or ends.
   */
  enter(owner: string, drop: () => void): () => void {
    const own = this.#byOwner.get(owner);
    if (own !== undefined && own.size >= MAX_PENDING_PER_ADDRESS) this.#displace(own);
    else if (this.#all.size >= MAX_PENDING_CONNECTIONS) this.#displace(this.#all);
    const entry: Pending = { owner, drop };
    this.#all.add(entry);
    this.#byOwner.set(owner, (this.#byOwner.get(owner) ?? new Set()).add(entry));
    return () => this.#leave(entry);
  }

  #displace(among: ReadonlySet<Pending>): void {
    const [oldest] = among;
    if (oldest === undefined) return;
    this.#leave(oldest);
    oldest.drop();
  }

  #leave(entry: Pending): void {
    this.#all.delete(entry);
    const own = this.#byOwner.get(entry.owner);
    own?.delete(entry);
    if (own?.size === 0) this.#byOwner.delete(entry.owner);
  }
}
