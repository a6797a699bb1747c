import type { FrameSize } from '../../shared/geometry.ts';
import { isSamePicture, type SentPicture } from '../core/likeness.ts';
import {
  type CropChoice,
  chooseCrop,
  drawSize,
  jpegQuality,
  nextDueMs,
  REAL_FRAME_EVERY_MS,
  targetFps,
} from '../core/pacing.ts';
import { FrameGrabber } from './grabber.ts';
import type { Placement, PlacementContext } from './placement.ts';
import { awaitVideoFrame } from './video-frames.ts';

/** Server mode: takes pictures at the asked-for rate and hands them to the connection, while it can send. */
export class CaptureLoop implements Placement {
  readonly mode = 'server';
  readonly #source: PlacementContext['source'];
  readonly #connection: PlacementContext['connection'];
  readonly #settings: PlacementContext['settings'];
  readonly #onSizeChange: PlacementContext['onSizeChange'];
  readonly #grabber = new FrameGrabber();
  #running = false;
  #encoding = false;
  #dueMs: number | null = null;
  #choice: CropChoice | null = null;
  #sent: SentPicture | null = null;
  #size: FrameSize | null = null;
  #cancelWait: () => void = () => {};

  constructor({ source, connection, settings, onSizeChange }: PlacementContext) {
    this.#source = source;
    this.#connection = connection;
    this.#settings = settings;
    this.#onSizeChange = onSizeChange;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#dueMs = null;
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
  }

  /** The next picture is a real one. */
  forget(): void {
    this.#sent = null;
    this.#choice = null;
  }

  #wait(): void {
    this.#cancelWait = awaitVideoFrame(this.#source.video, this.#intervalMs() / 4, () => {
      if (!this.#running) return;
      void this.#tick();
      this.#wait();
    });
  }

  #intervalMs(): number {
    return 1000 / targetFps(this.#settings.fps, this.#connection.guidance);
  }

  async #tick(): Promise<void> {
    const { video, size } = this.#source;
    const { guidance } = this.#connection;
    if (video === null || size === null || guidance === null || this.#encoding || !this.#connection.accepts()) return;
    const nowMs = performance.now();
    const dueMs = nextDueMs(this.#dueMs, nowMs, targetFps(this.#settings.fps, guidance));
    if (dueMs === null) return;
    if (this.#size !== null && (this.#size.widthPx !== size.widthPx || this.#size.heightPx !== size.heightPx)) {
      this.#size = size;
      this.forget();
      this.#onSizeChange(size);
      return;
    }
    this.#dueMs = dueMs;
    const captureMs = this.#connection.captureClockMs() ?? 0;
    const choice = chooseCrop(guidance.nextCrop, size, this.#choice);
    const { thumbprint } = this.#grabber.draw(video, choice.crop, drawSize(choice.crop, guidance.imageSizePx));
    this.#choice = choice;
    if (isSamePicture(this.#sent, choice.crop, thumbprint, nowMs, REAL_FRAME_EVERY_MS)) {
      this.#connection.sendSame(captureMs);
      return;
    }
    this.#encoding = true;
    try {
      const image = await this.#grabber.encode(jpegQuality(this.#settings.quality), guidance.maxFrameBytes);
      if (image === null || !this.#running) return;
      const seq = this.#connection.sendFrame({ image, codec: 'jpeg', ...choice, captureMs });
      if (seq !== null) this.#sent = { thumbprint, crop: choice.crop, sentAtMs: nowMs };
    } finally {
      this.#encoding = false;
    }
  }
}
