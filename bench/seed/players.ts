import {
  CALM_WITHIN,
  LARGE_MOVEMENT,
  largestDifference,
  REAL_FRAME_EVERY_MS,
  SAME_WITHIN,
} from '../../client/capture/picture-diff.ts';
import { QUICK_MS, RestRule } from '../../client/capture/rest-rule.ts';
import { MAX_FPS } from '../../client/connection/pacing/pacing.ts';
import { hasChanged, hasMovedFar } from '../../client/device/observation-diff.ts';
import { encodeClientMessage } from '../../shared/protocol/frames.ts';
import type { LoadStudent } from '../lib/load-student.ts';
import { type BenchClip, type ClipMoment, momentAt } from './clip.ts';
import type { SocketIoStudent } from './socket-io-student.ts';

/** What students had since the last call. */
export interface Taken {
  /** Answers to what was sent that are an observation, a picture that stayed the same included. */
  readonly observations: number;
  /** What the page was about to send, whether or not it could. */
  readonly wanted: number;
  readonly latenciesMs: readonly number[];
  /** True where the server has asked for less because it is overloaded. */
  readonly lowered: boolean;
}

/** A student who watches the clip and sends what a page sends of it. */
export interface BenchStudent {
  /** By which what is stored of the student is found. */
  readonly id: string;
  readonly bytes: { readonly up: number; readonly down: number };
  begin(): Promise<void>;
  /** Sends until the first observation is there. */
  firstObservation(): Promise<void>;
  /** Plays from now on; students of different `index` see different moments. */
  play(index: number): void;
  take(): Taken;
  /** Ends the session. Resolves with how long it was, seconds. */
  stop(): Promise<number>;
  close(): void;
}

/** The clip's students are this far apart in it, ms. */
const APART_MS = 3700;
/** The golden ratio spreads any number of students evenly over the time between two pictures. */
const SPREAD = (1 + Math.sqrt(5)) / 2;
const SAME = encodeClientMessage({ kind: 'same', seq: 0, captureMs: 0, late: false });
const RETRY_MS = 20;

/** The picture that a page sent last. */
interface Sent {
  readonly moment: ClipMoment;
  readonly sentAtMs: number;
}

const NEW = { isSame: false, moved: false } as const;

/** Calls `step` at a rate that it may change, without drift. */
class Ticker {
  readonly #step: (nowMs: number) => void;
  readonly #perSecond: () => number;
  #timer: NodeJS.Timeout | null = null;
  #dueMs = 0;

  constructor(perSecond: () => number, step: (nowMs: number) => void) {
    this.#perSecond = perSecond;
    this.#step = step;
  }

  start(index: number): void {
    this.#dueMs = performance.now() + ((index * SPREAD) % 1) * (1000 / this.#perSecond());
    this.#arm();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      const nowMs = performance.now();
      this.#step(nowMs);
      // Pictures that could not be taken are not caught up with.
      this.#dueMs = Math.max(this.#dueMs + 1000 / this.#perSecond(), nowMs);
      this.#arm();
    }, this.#dueMs - performance.now());
  }
}

/** Our page. `oursFixed5` sends a picture five times a second, whatever the gateway asks for and the picture shows. */
export class OurStudent implements BenchStudent {
  readonly #link: LoadStudent;
  readonly #clip: BenchClip;
  readonly #kind: 'ours' | 'oursFixed5' | 'device';
  readonly #ticker: Ticker;
  #offsetMs = 0;
  #wanted = 0;
  readonly #rest = new RestRule();
  #sent: Sent | null = null;

  constructor(link: LoadStudent, clip: BenchClip, kind: 'ours' | 'oursFixed5' | 'device') {
    this.#link = link;
    this.#clip = clip;
    this.#kind = kind;
    this.#ticker = new Ticker(
      () => (this.#rest.isQuick(performance.now()) ? 1000 / QUICK_MS : MAX_FPS),
      (nowMs) => this.#step(nowMs),
    );
  }

  get id(): string {
    return this.#link.sessionId;
  }

  get bytes(): { readonly up: number; readonly down: number } {
    return this.#link.bytes;
  }

  begin(): Promise<void> {
    return this.#link.start(this.#kind === 'device' ? 'device' : 'server');
  }

  async firstObservation(): Promise<void> {
    while (this.#link.newest?.outcome !== 'processed') {
      const answered = this.#link.nextUpdate();
      this.#step(performance.now());
      await answered;
      this.#sent = null;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  play(index: number): void {
    this.#offsetMs = index * APART_MS;
    this.#ticker.start(index);
  }

  take(): Taken {
    const wanted = this.#wanted;
    this.#wanted = 0;
    const observations = this.#link.takeOutcomes().get('processed') ?? 0;
    return { observations, wanted, latenciesMs: this.#link.takeLatenciesMs(), lowered: this.#link.isLowered };
  }

  async stop(): Promise<number> {
    this.#ticker.stop();
    return (await this.#link.stop()) / 1000;
  }

  close(): void {
    this.#ticker.stop();
    this.#link.close();
  }

  #step(nowMs: number): void {
    const moment = momentAt(this.#clip, nowMs + this.#offsetMs);
    if (moment === undefined) return;
    const sent = this.#sent;
    const rests = this.#kind !== 'oursFixed5' && this.#rest.rests(nowMs, this.#link.newest?.maxFps ?? MAX_FPS);
    const { isSame, moved } = sent === null ? NEW : this.#compare(sent, moment, nowMs, rests);
    if (isSame && rests) {
      this.#rest.unchangedMs = nowMs;
      return;
    }
    this.#wanted += 1;
    const { unchangedMs } = this.#rest;
    if (rests && unchangedMs !== null) {
      this.#wanted += 1;
      this.#link.send(SAME, unchangedMs);
    }
    this.#rest.sent(nowMs);
    if (isSame) this.#link.send(SAME, nowMs);
    else if (this.#link.send(this.#kind === 'device' ? moment.observation : moment.frame, nowMs) !== null) {
      this.#sent = { moment, sentAtMs: nowMs };
      if (moved) this.#rest.moved(nowMs);
    }
  }

  /** What a page finds between the picture that it sent last and this one. */
  #compare(sent: Sent, moment: ClipMoment, nowMs: number, rests: boolean): { isSame: boolean; moved: boolean } {
    if (this.#kind === 'device') {
      const isSame = rests && !hasChanged(sent.moment.seen, moment.seen);
      return { isSame, moved: hasMovedFar(sent.moment.seen, moment.seen) };
    }
    const isRepeatable =
      this.#kind === 'ours' && sent.moment.crop === moment.crop && nowMs - sent.sentAtMs < REAL_FRAME_EVERY_MS;
    if (!isRepeatable) return NEW;
    const difference = largestDifference(sent.moment.grid, moment.grid);
    return { isSame: difference <= (rests ? CALM_WITHIN : SAME_WITHIN), moved: difference > LARGE_MOVEMENT };
  }
}

/** The seed's page. */
export class SeedStudent implements BenchStudent {
  readonly id: string;
  readonly #link: SocketIoStudent;
  readonly #clip: BenchClip;
  readonly #ticker: Ticker;
  #beganMs = 0;
  #offsetMs = 0;
  #wanted = 0;

  constructor(
    link: SocketIoStudent,
    clip: BenchClip,
    { userId, perSecond }: { readonly userId: number; readonly perSecond: number },
  ) {
    this.id = String(userId);
    this.#link = link;
    this.#clip = clip;
    this.#ticker = new Ticker(
      () => perSecond,
      (nowMs) => this.#step(nowMs),
    );
  }

  get bytes(): { readonly up: number; readonly down: number } {
    return this.#link.bytes;
  }

  async begin(): Promise<void> {
    this.#beganMs = performance.now();
  }

  async firstObservation(): Promise<void> {
    const answered = this.#link.nextUpdate();
    this.#step(performance.now());
    await answered;
  }

  play(index: number): void {
    this.#offsetMs = index * APART_MS;
    this.#ticker.start(index);
  }

  take(): Taken {
    const wanted = this.#wanted;
    this.#wanted = 0;
    const observations = this.#link.takeObservations();
    return { observations, wanted, latenciesMs: this.#link.takeLatenciesMs(), lowered: false };
  }

  async stop(): Promise<number> {
    this.#ticker.stop();
    await this.#link.stop();
    return (performance.now() - this.#beganMs) / 1000;
  }

  close(): void {
    this.#ticker.stop();
    this.#link.close();
  }

  #step(nowMs: number): void {
    const moment = momentAt(this.#clip, nowMs + this.#offsetMs);
    if (moment === undefined) return;
    this.#wanted += 1;
    this.#link.sendFrame(moment.dataUrl);
  }
}
