import type { Mode } from '../../shared/direction.ts';
import type { TimerSource } from './named-timers.ts';
import { PostTransport } from './post-transport.ts';
import type { WebSocketLike } from './socket.ts';
import { newRecord, nextTransport, type TransportKind, type TransportRecord } from './transport-choice.ts';
import { TransportMemory } from './transport-memory.ts';

/** On POSTs a WebSocket is tried again after this, then after twice as long, up to the most. */
const FIRST_PROBE_MS = 2 * 60_000;
const MOST_PROBE_MS = 30 * 60_000;
/** A WebSocket that stays open for so long is worth a connection. */
const PROBE_OPEN_MS = 1500;

export interface TransportsOptions extends TimerSource {
  readonly httpOrigin: string;
  /** Where to remember that POSTs were the way through. */
  readonly memoryKey: string;
  /** The record of the connection that made the page load this; null where a memory of an earlier page did. */
  readonly last: TransportRecord | null;
  now(): number;
  mode(): Mode;
}

/** Chooses for each connection of a page what carries it. */
export class Transports {
  readonly #options: TransportsOptions;
  readonly #memory: TransportMemory;
  #kind: TransportKind;
  #shorts = 0;
  #record: TransportRecord | null;
  #probeMs = FIRST_PROBE_MS;
  #wantsUpgrade = false;

  constructor(options: TransportsOptions) {
    this.#options = options;
    this.#memory = new TransportMemory({
      storage: () => localStorage,
      key: options.memoryKey,
      network: networkKind,
      nowMs: Date.now,
    });
    this.#kind = this.#memory.saysPost ? 'post' : 'websocket';
    this.#record = options.last;
  }

  /** A connection of the kind that is chosen now. */
  open(url: string, subprotocol: string): WebSocketLike {
    const { now } = this.#options;
    if (this.#wantsUpgrade) this.#kind = 'websocket';
    else if (this.#record !== null) {
      const next = nextTransport(this.#record, this.#shorts, now());
      this.#kind = next.kind;
      this.#shorts = next.shorts;
    }
    this.#wantsUpgrade = false;
    const record = newRecord(this.#kind, now());
    this.#record = record;
    const transport = this.#kind === 'post' ? this.#openPost(url, subprotocol) : new WebSocket(url, subprotocol);
    this.#watch(transport, record);
    return transport;
  }

  #watch(transport: WebSocketLike, record: TransportRecord): void {
    transport.addEventListener('message', ({ data }) => {
      record.messages += 1;
      if (typeof data === 'string') return;
      record.updates += 1;
      if (record.updates === 1) this.#memory.note(record.kind === 'post');
    });
    transport.addEventListener('close', ({ code }) => {
      record.closeCode = code ?? null;
    });
  }

  #openPost(url: string, subprotocol: string): PostTransport {
    const { now, mode, setTimer, clearTimer } = this.#options;
    const transport = new PostTransport({
      url: url.replace(/^ws/, 'http'),
      fetch: (address, init) => fetch(address, init),
      now,
      mode,
      setTimer,
      clearTimer,
    });
    const upgrade = async (): Promise<void> => {
      if (await this.#opensWebSocket(url, subprotocol)) {
        this.#wantsUpgrade = true;
        transport.giveUp();
      } else probeLater();
    };
    let timer: unknown;
    const probeLater = (): void => {
      timer = setTimer(() => void upgrade(), this.#probeMs);
      this.#probeMs = Math.min(MOST_PROBE_MS, this.#probeMs * 2);
    };
    const stop = (): void => {
      clearTimer(timer);
      window.removeEventListener('online', onOnline);
    };
    // It may be another network now.
    const onOnline = (): void => {
      clearTimer(timer);
      this.#probeMs = FIRST_PROBE_MS;
      void upgrade();
    };
    window.addEventListener('online', onOnline);
    transport.onEnd = stop;
    probeLater();
    return transport;
  }

  /** True where a WebSocket opens and stays so for a moment. It says nothing: the gateway takes it for one that gives up. */
  #opensWebSocket(url: string, subprotocol: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = new WebSocket(url, subprotocol);
      const settle = (works: boolean): void => {
        resolve(works);
        socket.close();
      };
      socket.addEventListener('open', () => this.#options.setTimer(() => settle(true), PROBE_OPEN_MS));
      socket.addEventListener('close', () => settle(false));
    });
  }
}

/** Network Information API: only some browsers have it, and not all of those tell the kind. */
function networkKind(): string {
  const { connection } = navigator as Navigator & { readonly connection?: { readonly type?: string } };
  return connection?.type ?? '';
}
