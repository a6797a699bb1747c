import { sampledLines } from '../lib/sampled-lines.ts';
import type { ConnectionClock } from '../lib/steady-clock.ts';
import type { InferencePool } from '../relay/inference-pool.ts';
import type { SessionAccount } from './account.ts';
import type { Checkpointer } from './checkpointer.ts';
import { IdleController } from './idle-controller.ts';
import type { LoadWatch } from './load-watch.ts';
import type { Sessions } from './sessions.ts';
import { Stream, type StreamDependencies } from './stream.ts';
import type { Transport } from './transport.ts';

const TICK_MS = 1000;
const CHECK_EVERY_TICKS = 20;

export interface StreamsOptions
  extends Omit<
    StreamDependencies,
    'admit' | 'detach' | 'changed' | 'sampled' | 'inference' | 'load' | 'clockOffsetMs'
  > {
  /** A clock for a connection that opens now. */
  readonly openClock: () => ConnectionClock;
  readonly sessions: Sessions;
  readonly checkpointer: Checkpointer;
  readonly inference: InferencePool;
  readonly idleAfterMs: number;
  readonly load: LoadWatch;
  /** The first stream is there. */
  readonly onActive: () => void;
  /** No stream has been there for `idleAfterMs`. */
  readonly onIdle: () => void;
  /** Called once a second while there are streams. */
  readonly onTick: () => void;
}

/** The open streams, with what runs only while there are some. */
export class Streams {
  readonly #deps: StreamsOptions;
  readonly #open = new Set<Stream>();
  readonly #idle: IdleController;
  readonly #sampled = sampledLines(() => performance.now());
  #draining = false;

  constructor(deps: StreamsOptions) {
    this.#deps = deps;
    this.#idle = new IdleController({
      everyMs: TICK_MS,
      idleAfterMs: deps.idleAfterMs,
      onActive: () => {
        deps.checkpointer.start();
        deps.load.start();
        deps.onActive();
      },
      onTick: (ticks) => this.#tick(ticks),
      onLastLeft: () => {
        void deps.checkpointer.stop();
        deps.load.stop();
      },
      onIdle: () => {
        deps.inference.release();
        deps.onIdle();
      },
    });
  }

  /** Sessions that are counting, and whether every window of theirs is on the disk. */
  *counting(): Iterable<{ readonly account: SessionAccount; readonly isSaved: boolean }> {
    for (const { countingAccount: account, isSaved } of this.#open) if (account !== null) yield { account, isSaved };
  }

  /** How metrics count the open streams. */
  labels(): readonly Stream['labels'][] {
    return [...this.#open].map((stream) => stream.labels);
  }

  /** A connection has opened; `identified` is called when it has shown a valid ticket. */
  open(transport: Transport, identified: () => void): Stream {
    const { sessions, inference } = this.#deps;
    const clock = this.#deps.openClock();
    const stream = new Stream(transport, {
      ...this.#deps,
      now: clock.now,
      clockOffsetMs: clock.offsetMs,
      admit: (hello, from) => sessions.admit(hello, from, identified),
      detach: (account, from) => sessions.detach(account, from),
      changed: (isAnswered) => this.#deps.checkpointer.changed(isAnswered),
      sampled: this.#sampled,
    });
    this.#open.add(stream);
    if (this.#draining) {
      stream.dispatch({ type: 'drain' });
      return stream;
    }
    this.#idle.enter();
    inference.open();
    return stream;
  }

  /** The stream's connection has closed. */
  close(stream: Stream): void {
    stream.dispatch({ type: 'closed' });
    this.#open.delete(stream);
    if (this.#open.size === 0) this.#idle.leave();
  }

  /** Every stream, and each that still opens, is closed with `shutting_down`. */
  drain(): void {
    this.#draining = true;
    this.#idle.stop();
    this.#deps.load.stop();
    for (const stream of [...this.#open]) stream.dispatch({ type: 'drain' });
  }

  #tick(ticks: number): void {
    this.#deps.load.tick(this.#deps.now());
    this.#deps.onTick();
    for (const stream of this.#open) {
      stream.dispatch({ type: 'tick' });
      if (ticks % CHECK_EVERY_TICKS === 0) stream.checkAlive();
    }
  }
}
