import type { Mode } from '../../shared/direction.ts';
import type { TimerSource } from './named-timers.ts';
import { PostTransport } from './post-transport.ts';
import type { WebSocketLike } from './socket.ts';
import {
  newRecord,
  nextTransport,
  showsBlocked,
  type TransportKind,
  type TransportRecord,
} from './transport-choice.ts';
import { TransportMemory } from './transport-memory.ts';

/** While POSTs are used a WebSocket is tried after this, then after twice as long, up to the most. */
export const FIRST_PROBE_MS = 30_000;
const MOST_PROBE_MS = 5 * 60_000;
/** The most where WebSockets open and then fail: each try interrupts capture for seconds. */
const MOST_PROBE_AFTER_RELAPSE_MS = 30 * 60_000;
/** A WebSocket that stays open for so long is worth a connection. */
const PROBE_OPEN_MS = 1500;
/** One that has not opened after so long is blocked. */
const PROBE_WITHIN_MS = 8000;

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
  /** The WebSocket that failed before the POSTs of now; null where this page has tried none. */
  #failed: TransportRecord | null = null;
  #probeMs = FIRST_PROBE_MS;
  #mostProbeMs = MOST_PROBE_MS;
  #wantsUpgrade = false;
  #wasUpgraded = false;

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
      if (next.kind === 'post' && this.#record.kind === 'websocket') this.#noteFailed(this.#record);
      this.#kind = next.kind;
      this.#shorts = next.shorts;
    }
    if (this.#wantsUpgrade) this.#wasUpgraded = true;
    this.#wantsUpgrade = false;
    const record = newRecord(this.#kind, now());
    this.#record = record;
    const transport = this.#kind === 'post' ? this.#openPost(url, subprotocol) : new WebSocket(url, subprotocol);
    transport.addEventListener('open', () => {
      record.opened = true;
    });
    transport.addEventListener('message', ({ data }) => {
      record.messages += 1;
      if (typeof data !== 'string') record.updates += 1;
      if (record.kind === 'websocket' && record.updates === 1) this.#memory.note(false);
    });
    transport.addEventListener('close', ({ code }) => {
      record.closeCode = code ?? null;
    });
    return transport;
  }

  /** A WebSocket has failed, and POSTs come next. */
  #noteFailed(record: TransportRecord): void {
    this.#failed = record;
    if (this.#wasUpgraded && showsBlocked(record)) {
      this.#mostProbeMs = MOST_PROBE_AFTER_RELAPSE_MS;
      this.#probeMs = this.#mostProbeMs;
    }
    this.#wasUpgraded = false;
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
    const failed = this.#failed;
    let isEnded = false;
    let updates = 0;
    let timer: unknown;
    const probe = async (): Promise<void> => {
      clearTimer(timer);
      const opens = await this.#opensWebSocket(url, subprotocol);
      if (isEnded) return;
      if (opens) {
        this.#wantsUpgrade = true;
        transport.giveUp();
        return;
      }
      // POSTs reach the gateway now: it is the network that stops WebSockets.
      if (updates > 0) this.#memory.note(true);
      probeLater();
    };
    const probeLater = (): void => {
      clearTimer(timer);
      timer = setTimer(() => void probe(), this.#probeMs);
      this.#probeMs = Math.min(this.#mostProbeMs, this.#probeMs * 2);
    };
    // It may be another network now.
    const onOnline = (): void => {
      this.#probeMs = FIRST_PROBE_MS;
      this.#mostProbeMs = MOST_PROBE_MS;
      void probe();
    };
    transport.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') return;
      updates += 1;
      if (updates > 1 || failed === null) return;
      if (showsBlocked(failed)) this.#memory.note(true);
      else void probe();
    });
    window.addEventListener('online', onOnline);
    transport.onEnd = () => {
      isEnded = true;
      clearTimer(timer);
      window.removeEventListener('online', onOnline);
    };
    probeLater();
    return transport;
  }

  /** True where a WebSocket opens and stays so for a moment. It says nothing: the gateway takes it for one that gives up. */
  #opensWebSocket(url: string, subprotocol: string): Promise<boolean> {
    return new Promise((resolve) => {
      const { setTimer, clearTimer } = this.#options;
      const socket = new WebSocket(url, subprotocol);
      const settle = (works: boolean): void => {
        clearTimer(timer);
        resolve(works);
        socket.close();
      };
      let timer = setTimer(() => settle(false), PROBE_WITHIN_MS);
      socket.addEventListener('open', () => {
        clearTimer(timer);
        timer = setTimer(() => settle(true), PROBE_OPEN_MS);
      });
      socket.addEventListener('close', () => settle(false));
    });
  }
}

/** Network Information API: only some browsers have it, and not all of those tell the kind. */
function networkKind(): string {
  const { connection } = navigator as Navigator & { readonly connection?: { readonly type?: string } };
  return connection?.type ?? '';
}
