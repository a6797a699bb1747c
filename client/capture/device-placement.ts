import { type FrameSize, isSameSize } from '../../shared/geometry.ts';
import { implausibility } from '../../shared/observation-check.ts';
import type { DeviceEngine } from '../device/engine.ts';
import { uprightFrame } from '../lib/frame-parts.ts';
import { nextDueMs } from './frame-schedule.ts';
import type { Placement, PlacementContext } from './placement.ts';
import { QUICK_MS, RestRule } from './rest-rule.ts';
import { awaitVideoFrame } from './video-frames.ts';

/** The engine of device mode, and what its speed is reported to. */
export interface DevicePlacementOptions {
  /** The engine; null before it is loaded, and if there is none. */
  engine(): DeviceEngine | null;
  /** An observation was made, in this time, ms. */
  onInferred?(inferenceMs: number): void;
  /** The worker failed: nothing more will come. */
  onFailed(error: unknown): void;
}

/** Device mode: pictures are analysed here and observations are given to the connection. No picture is sent. */
export class DevicePlacement implements Placement {
  readonly mode = 'device';
  readonly #context: PlacementContext;
  readonly #options: DevicePlacementOptions;
  #running = false;
  #inferring = false;
  #dueMs: number | null = null;
  readonly #rest = new RestRule();
  #size: FrameSize | null = null;
  #cancelWait: () => void = () => {};

  constructor(context: PlacementContext, options: DevicePlacementOptions) {
    this.#context = context;
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#dueMs = null;
    this.#size = this.#context.source.size;
    this.forget();
    this.#wait();
  }

  stop(): void {
    this.#running = false;
    this.#cancelWait();
  }

  /** The gateway has no picture from device mode. The next picture is analysed even if it is identical. */
  forget(): void {
    this.#rest.unchangedMs = null;
    this.#options.engine()?.forget();
  }

  /** The engine belongs to the caller. */
  dispose(): void {
    this.stop();
  }

  #wait(): void {
    this.#cancelWait = awaitVideoFrame(
      this.#context.source.video,
      1000 / this.#context.connection.pacer.wantedFps / 4,
      () => {
        if (!this.#running) return;
        void this.#tick();
        this.#wait();
      },
    );
  }

  async #tick(): Promise<void> {
    const { source, connection, onSizeChange } = this.#context;
    const { video, size } = source;
    const engine = this.#options.engine();
    if (video === null || size === null || !source.flowing || this.#inferring || !connection.accepts()) return;
    if (engine === null || !engine.isReady) return;
    const dueMs = nextDueMs(this.#dueMs, performance.now(), this.#context.connection.pacer.wantedFps);
    if (dueMs === null) return;
    if (this.#size !== null && !isSameSize(this.#size, size)) {
      this.#size = size;
      this.forget();
      onSizeChange(size);
      return;
    }
    const captureMs = connection.captureClockMs();
    if (captureMs === null) return;
    const nowMs = performance.now();
    this.#dueMs = this.#rest.isQuick(nowMs) ? nowMs + QUICK_MS : dueMs;
    this.#inferring = true;
    try {
      await this.#infer(engine, video, size, captureMs, nowMs);
    } catch (error) {
      if (this.#running) this.#options.onFailed(error);
    } finally {
      this.#inferring = false;
    }
  }

  async #infer(
    engine: DeviceEngine,
    video: HTMLVideoElement,
    size: FrameSize,
    captureMs: number,
    nowMs: number,
  ): Promise<void> {
    const { connection } = this.#context;
    const { guidance } = connection;
    const rests = guidance !== null && !connection.isQueueing() && this.#rest.rests(nowMs, guidance.maxFps);
    const picture = (engine.takesFrames ? uprightFrame(video) : null) ?? (await createImageBitmap(video));
    if (!this.#running) {
      picture.close();
      return;
    }
    const { observation, moved, inferenceMs } = await engine.infer(picture, size, captureMs, rests);
    if (!this.#running) return;
    this.#options.onInferred?.(inferenceMs);
    if (observation === null && rests) {
      this.#rest.unchangedMs = captureMs;
      return;
    }
    if (observation === null) connection.sendSame(captureMs);
    else {
      if (implausibility(observation, size) !== null) return;
      const { unchangedMs } = this.#rest;
      if (rests && unchangedMs !== null) connection.sendSame(unchangedMs);
      connection.sendObservation({ observation, captureMs });
      if (moved) {
        this.#rest.moved(nowMs);
        this.#dueMs = nowMs + QUICK_MS;
      }
    }
    this.#rest.sent(nowMs);
  }
}
