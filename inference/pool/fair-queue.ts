/**
 * A bounded queue in which peers take turns: one that floods waits behind itself. Where the queue is full, the
 * peer with the most items loses its newest to one that has fewer.
 */
export class FairQueue<T> {
  readonly #limit: number;
  /** Never an empty list; the peer whose turn is next comes first. */
  readonly #byPeer = new Map<object, T[]>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** The oldest item of each peer. */
  heads(): T[] {
    return [...this.#byPeer.values()].flatMap((items) => items.slice(0, 1));
  }

  /** `isTaken` false where the queue is full; `evicted` had to make place. */
  push(peer: object, item: T): { readonly isTaken: boolean; readonly evicted: T | null } {
    const own = this.#byPeer.get(peer) ?? [];
    let evicted: T | null = null;
    if (this.#size >= this.#limit) {
      const longest = [...this.#byPeer.values()].reduce((a, b) => (b.length > a.length ? b : a), own);
      if (longest.length <= own.length + 1) return { isTaken: false, evicted };
      evicted = longest.pop() ?? null;
      this.#size -= 1;
    }
    own.push(item);
    this.#byPeer.set(peer, own);
    this.#size += 1;
    return { isTaken: true, evicted };
  }

  /** The oldest item of the peer whose turn it is; undefined where nothing waits. */
  shift(): T | undefined {
    for (const [peer, items] of this.#byPeer) {
      const item = items.shift();
      this.#byPeer.delete(peer);
      if (items.length > 0) this.#byPeer.set(peer, items);
      this.#size -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes an item out; false where it does not wait. */
  remove(peer: object, item: T): boolean {
    const items = this.#byPeer.get(peer);
    const at = items?.indexOf(item) ?? -1;
    if (items === undefined || at < 0) return false;
    items.splice(at, 1);
    if (items.length === 0) this.#byPeer.delete(peer);
    this.#size -= 1;
    return true;
  }

  /** Takes everything out. */
  clear(): T[] {
    const items = [...this.#byPeer.values()].flat();
    this.#byPeer.clear();
    this.#size = 0;
    return items;
  }
}
