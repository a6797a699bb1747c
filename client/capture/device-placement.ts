import { type FrameSize, isSameSize } from '../../shared/geometry.ts';
import { implausibility } from '../../shared/observation-check.ts';
import type { DeviceEyes } from '../device/engine.ts';
import { nextDueMs } from './frame-schedule.ts';
import type { Placement, PlacementContext } from './placement.ts';
import { awaitVideoFrame } from './video-frames.ts';

/** What device mode does, for whoever judges whether it does well. */
export interface DevicePlacementOptions {
  /** The eyes once they are there; null before, and where there are none. */
  eyes(): DeviceEyes | null;
  /** Each observation made, and what it took, ms. */
  onLook?(lookMs: number): void;
  /** The worker failed: nothing more will come. */
  onFailed(error: unknown): void;
}

/** Device mode: pictures are looked at here, and what was seen is handed to the connection. No picture leaves. */
export class DevicePlacement implements Placement {
  readonly mode = 'device';
  readonly #context: PlacementContext;
  readonly #options: DevicePlacementOptions;
  #running = false;
  #looking = false;
  #dueMs: number | null = null;
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

  /** The gateway keeps nothing that device mode would have to repeat; a picture that stands still is seen anew. */
  forget(): void {
    this.#options.eyes()?.forget();
  }

  /** The eyes are whose they were given from. */
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
    const eyes = this.#options.eyes();
    if (video === null || size === null || this.#looking || !connection.accepts()) return;
    if (eyes === null || !eyes.isReady) return;
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
    this.#dueMs = dueMs;
    this.#looking = true;
    try {
      await this.#look(eyes, video, size, captureMs);
    } catch (error) {
      if (this.#running) this.#options.onFailed(error);
    } finally {
      this.#looking = false;
    }
  }

  async #look(eyes: DeviceEyes, video: HTMLVideoElement, size: FrameSize, captureMs: number): Promise<void> {
    const { connection } = this.#context;
    const picture = await createImageBitmap(video);
    if (!this.#running) {
      picture.close();
      return;
    }
    const { observation, lookMs } = await eyes.look(picture, size, captureMs);
    if (!this.#running) return;
    this.#options.onLook?.(lookMs);
    if (observation === null) connection.sendSame(captureMs);
    else if (implausibility(observation, size) === null) connection.sendObservation({ observation, captureMs });
  }
}
