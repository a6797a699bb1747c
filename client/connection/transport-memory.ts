/** After this long a page begins with a WebSocket again. */
const FORGET_AFTER_MS = 12 * 3_600_000;

/** That a network carried POSTs and no WebSocket. */
interface Remembered {
  readonly atMs: number;
  /** The kind of network where the browser tells it, else the empty text. */
  readonly network: string;
}

/** What storage needs to be: localStorage. */
type TransportStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** For the next page: on a network that carries no WebSocket it begins with POSTs. Storage that fails counts as empty. */
export class TransportMemory {
  readonly #storage: () => TransportStorage;
  readonly #key: string;
  readonly #network: () => string;
  readonly #nowMs: () => number;

  /** `nowMs` is UTC ms. `storage` may throw where the browser blocks it. */
  constructor(options: {
    readonly storage: () => TransportStorage;
    readonly key: string;
    readonly network: () => string;
    readonly nowMs: () => number;
  }) {
    this.#storage = options.storage;
    this.#key = options.key;
    this.#network = options.network;
    this.#nowMs = options.nowMs;
  }

  /** True where POSTs were the way through this network lately. */
  get saysPost(): boolean {
    try {
      const { atMs, network } = JSON.parse(this.#storage().getItem(this.#key) ?? 'null') as Remembered;
      const ageMs = this.#nowMs() - atMs;
      return network === this.#network() && ageMs >= 0 && ageMs < FORGET_AFTER_MS;
    } catch {
      return false;
    }
  }

  /** A WebSocket has carried updates, or failed while POSTs carried them (`isPost`). */
  note(isPost: boolean): void {
    try {
      if (!isPost) this.#storage().removeItem(this.#key);
      else {
        const remembered: Remembered = { atMs: this.#nowMs(), network: this.#network() };
        this.#storage().setItem(this.#key, JSON.stringify(remembered));
      }
    } catch {
      // Blocked or full: the next page begins with a WebSocket.
    }
  }
}
