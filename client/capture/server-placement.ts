import { type FrameSize, isSameSize, type RectPx } from '../../shared/geometry.ts';
import type { Guidance } from '../connection/guidance.ts';
import { MAX_FPS } from '../connection/pacing/pacing.ts';
import { BestGrabber } from './best-grabber.ts';
import { type CropChoice, chooseCrop, drawSize, widenHint } from './crop-choice.ts';
import { nextDueMs } from './frame-schedule.ts';
import { setTimer } from './hidden-timer.ts';
import type { Grabber } from './picture.ts';
import { CALM_WITHIN, REAL_FRAME_EVERY_MS, SAME_WITHIN } from './picture-diff.ts';
import type { Placement, PlacementContext } from './placement.ts';
import { QUICK_MS, RestRule } from './rest-rule.ts';
import { awaitVideoFrame } from './video-frames.ts';

/** Of a usual camera. */
const VIDEO_FRAME_MS = 1000 / 30;
/** Crop that the pacer's sizes are meant for: the search for a face needs more pixels, in proportion. */
const CROP_PX = 192;

/** Server mode: takes pictures at the pacer's rate and hands them to the connection, while it can send. */
export class ServerPlacement implements Placement {
  readonly mode = 'server';
  readonly #source: PlacementContext['source'];
  readonly #connection: PlacementContext['connection'];
  readonly #settings: PlacementContext['settings'];
  readonly #onSizeChange: PlacementContext['onSizeChange'];
  readonly #grabber: Grabber;
  #running = false;
  #taking = false;
  #dueMs: number | null = null;
  #notBeforeMs = 0;
  #choice: CropChoice | null = null;
  /** Crop of the picture that was sent last, the very object; null where the next one must be real. */
  #sent: RectPx | null = null;
  #sentAtMs = 0;
  readonly #rest = new RestRule();
  #size: FrameSize | null = null;
  #cancelWait: () => void = () => {};

  /** `httpOrigin`: the gateway's, where the capture worker is loaded from. */
  constructor({ source, connection, settings, onSizeChange }: PlacementContext, httpOrigin: string) {
    this.#source = source;
    this.#connection = connection;
    this.#settings = settings;
    this.#onSizeChange = onSizeChange;
    this.#grabber = new BestGrabber(httpOrigin, (webp) => connection.pacer.bound({ webp }));
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#dueMs = null;
    this.#notBeforeMs = 0;
    this.#size = this.#source.size;
    this.forget();
    this.#wait();
  }

  stop(): void {
    this.#running = false;
    this.#cancelWait();
  }

  dispose(): void {
    this.stop();
    this.#grabber.dispose();
  }

  /** The next picture is a real one. */
  forget(): void {
    this.#sent = null;
    this.#choice = null;
    this.#rest.unchangedMs = null;
  }

  /** Sleeps until a picture is nearly due, then waits for the next video frame. */
  #wait(): void {
    const sleepMs = Math.max(this.#dueMs ?? 0, this.#notBeforeMs) - performance.now() - VIDEO_FRAME_MS / 2;
    if (sleepMs < VIDEO_FRAME_MS) {
      this.#awaitFrame();
      return;
    }
    this.#cancelWait = setTimer(() => this.#awaitFrame(), sleepMs);
  }

  #awaitFrame(): void {
    this.#cancelWait = awaitVideoFrame(this.#source.video, VIDEO_FRAME_MS, () => {
      if (!this.#running) return;
      this.#tick();
      this.#wait();
    });
  }

  #tick(): void {
    const { video, size } = this.#source;
    const { guidance } = this.#connection;
    if (video === null || size === null || !this.#source.flowing || guidance === null || this.#taking) return;
    const nowMs = performance.now();
    const isQueueing = this.#connection.isQueueing();
    const dueMs = nextDueMs(this.#dueMs, nowMs, this.#connection.pacer.fps);
    const isDue = dueMs !== null && nowMs >= this.#notBeforeMs;
    if (isDue && !this.#connection.canSend()) this.#connection.noteBlocked();
    // Queued pictures follow the outbox's rate: in an outage the pacer's falls far below one picture per second.
    if (!(isQueueing || isDue) || !this.#connection.accepts()) return;
    if (this.#size !== null && !isSameSize(this.#size, size)) {
      this.#size = size;
      this.forget();
      this.#onSizeChange(size);
      return;
    }
    this.#taking = true;
    this.#dueMs = this.#rest.isQuick(nowMs) ? nowMs + QUICK_MS : (dueMs ?? this.#dueMs);
    void this.#take(video, size, guidance, nowMs).finally(() => {
      this.#taking = false;
    });
  }

  /** Takes a picture, and sends it or says that it is still the one before. */
  async #take(video: HTMLVideoElement, camera: FrameSize, guidance: Guidance, nowMs: number): Promise<void> {
    const { pacer } = this.#connection;
    const captureMs = this.#connection.captureClockMs() ?? 0;
    const isLive = !this.#connection.isQueueing();
    const { nextCrop } = guidance;
    const choice = chooseCrop(isLive || nextCrop === null ? nextCrop : widenHint(nextCrop), camera, this.#choice);
    const format = pacer.format(this.#settings.quality);
    const wholeSidePx = (guidance.imageSizePx * format.sizePx) / CROP_PX;
    const size = drawSize(choice.crop, choice.fullFrame ? wholeSidePx : Math.min(guidance.imageSizePx, format.sizePx));
    // Without a connection the outbox sets the rate.
    const waitMs = isLive ? pacer.waitMs({ size, whole: choice.fullFrame }) : 0;
    this.#choice = choice;
    const sentBefore = this.#sent;
    const rests = isLive && this.#rest.rests(nowMs, guidance.maxFps);
    const taken = await this.#grabber.grab(video, {
      crop: choice.crop,
      size,
      ...format,
      maxBytes: guidance.maxFrameBytes,
      // A queued picture may be the first that the gateway gets.
      repeatable: isLive && sentBefore === choice.crop && nowMs - this.#sentAtMs < REAL_FRAME_EVERY_MS,
      sameWithin: rests ? CALM_WITHIN : SAME_WITHIN,
      encode: waitMs === 0,
    });
    if (!this.#running) return;
    switch (taken.kind) {
      case 'same':
        // forget() may have been called meanwhile.
        if (this.#sent !== sentBefore) return;
        if (rests) {
          this.#rest.unchangedMs = captureMs;
          return;
        }
        this.#connection.sendSame(captureMs);
        break;
      case 'changed':
        this.#dueMs = nowMs;
        this.#notBeforeMs = nowMs + waitMs;
        return;
      case 'none':
        return;
      case 'picture': {
        const { image, codec, moved } = taken;
        const { unchangedMs } = this.#rest;
        if (rests && unchangedMs !== null) this.#connection.sendSame(unchangedMs);
        if (this.#connection.sendFrame({ image, codec, ...choice, size, captureMs }) === null) return;
        this.#grabber.sent();
        this.#sent = choice.crop;
        this.#sentAtMs = nowMs;
        // Not where page, gateway or link want fewer.
        if (moved && pacer.fps >= MAX_FPS) {
          this.#dueMs = nowMs + QUICK_MS;
          this.#rest.moved(nowMs);
        }
      }
    }
    this.#rest.sent(nowMs);
  }
}
