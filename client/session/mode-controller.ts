import type { Mode } from '../../shared/direction.ts';
import { describeError } from '../../shared/errors.ts';
import type { Update } from '../../shared/protocol/update.ts';
import { DevicePlacement } from '../capture/device-placement.ts';
import type { CreatePlacement } from '../capture/placement.ts';
import { CaptureLoop } from '../capture/server-placement.ts';
import { DeviceEyes, deviceIsSupported } from '../device/engine.ts';
import { LinkMeter } from './link-meter.ts';
import {
  chooseMode,
  type DeviceReading,
  explainMode,
  type LinkReading,
  type ModeChoice,
  type ModeReason,
  type ModeWish,
} from './mode-choice.ts';

/** Where pictures are looked at, and why. */
export interface ModeReport {
  readonly mode: Mode;
  readonly reason: ModeReason;
  /** For the student. */
  readonly message: string;
  /** Part of the models that is loaded while the device is made ready, 0–1; else null. */
  readonly loaded: number | null;
  /** Bytes that the models took of the student's link; 0 before, and where the browser had them. */
  readonly downloadedBytes: number;
}

export interface ModeControllerOptions {
  readonly httpOrigin: string;
  readonly wish: ModeWish;
  readonly lessData: boolean;
  /** Pictures per second that are wanted now. */
  wantedFps(): number;
  /** Puts another placement in. */
  exchange(createPlacement: CreatePlacement): void;
  /** False while something must leave in the present mode first. */
  canChange(): boolean;
  onReport(report: ModeReport): void;
}

const DECIDE_EVERY_MS = 1000;
/** Looks whose median is the device's speed. */
const LOOKS = 15;
const LOADED_STEP = 0.05;

/** Decides where pictures are looked at while a session runs, and makes the device ready for it. */
export class ModeController {
  readonly #options: ModeControllerOptions;
  readonly #meter = new LinkMeter();
  readonly #timer: ReturnType<typeof setInterval>;
  #wish: ModeWish;
  #lessData: boolean;
  #mode: Mode;
  #device: DeviceReading;
  #eyes: DeviceEyes | null = null;
  #looksMs: number[] = [];
  #loaded: number | null = null;
  #downloadedBytes = 0;
  #told: ModeReport | null = null;
  #disposed = false;

  constructor(options: ModeControllerOptions) {
    this.#options = options;
    this.#wish = options.wish;
    this.#lessData = options.lessData;
    this.#device = { state: deviceIsSupported() ? 'unasked' : 'unsupported' };
    this.#mode = options.wish === 'device' ? 'device' : 'server';
    this.#timer = setInterval(() => this.#decide(), DECIDE_EVERY_MS);
  }

  get mode(): Mode {
    return this.#mode;
  }

  get report(): ModeReport | null {
    return this.#told;
  }

  /** What the session begins with. */
  readonly createPlacement: CreatePlacement = (context) =>
    this.#mode === 'server'
      ? new CaptureLoop(context)
      : new DevicePlacement(context, {
          eyes: () => this.#eyes,
          onLook: (lookMs) => this.#noteLook(lookMs),
          onFailed: (error) => this.#fail(error),
        });

  /** Decides for the first time. */
  begin(): void {
    this.#decide();
  }

  setWish(wish: ModeWish): void {
    this.#wish = wish;
    this.#decide();
  }

  setLessData(lessData: boolean): void {
    this.#lessData = lessData;
    this.#decide();
  }

  /** The gateway answered a message; `latencyMs` from its capture, null where not known. */
  noteUpdate({ outcome }: Update, latencyMs: number | null): void {
    if (this.#mode === 'server') this.#meter.noteAnswer(outcome === 'processed', latencyMs);
  }

  /** Pictures are being taken and there is a connection, or not any more. */
  noteFlowing(flowing: boolean): void {
    this.#meter.setFlowing(flowing && this.#mode === 'server', performance.now());
  }

  dispose(): void {
    this.#disposed = true;
    clearInterval(this.#timer);
    this.#eyes?.close();
    this.#eyes = null;
  }

  #decide(): void {
    if (this.#disposed) return;
    const { canChange, exchange, wantedFps } = this.#options;
    const link: readonly LinkReading[] = this.#meter.read(performance.now());
    const choice = chooseMode({
      wish: this.#wish,
      mode: this.#mode,
      lessData: this.#lessData,
      link,
      device: this.#device,
      wantedFps: wantedFps(),
    });
    if (choice.prepare && this.#device.state === 'unasked') this.#prepare();
    if (choice.mode !== this.#mode) {
      if (!canChange()) return;
      this.#mode = choice.mode;
      this.#looksMs = [];
      this.#meter.reset(performance.now());
      exchange(this.createPlacement);
    }
    this.#tell(choice);
  }

  #prepare(): void {
    this.#device = { state: 'preparing' };
    this.#loaded = 0;
    try {
      const eyes = new DeviceEyes({
        httpOrigin: this.#options.httpOrigin,
        onProgress: (share) => this.#progress(share),
      });
      this.#eyes = eyes;
      eyes.ready.then(
        ({ lookMs, downloadedBytes }) => {
          this.#loaded = null;
          this.#downloadedBytes = downloadedBytes;
          this.#device = { state: 'ready', lookMs };
          this.#decide();
        },
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #progress(share: number): void {
    const step = Math.floor(share / LOADED_STEP) * LOADED_STEP;
    if (step === this.#loaded) return;
    this.#loaded = step;
    if (this.#told !== null) this.#tell(this.#told);
  }

  #noteLook(lookMs: number): void {
    this.#looksMs = [...this.#looksMs.slice(1 - LOOKS), lookMs];
    // Few looks say little: a first slow one is no slow device.
    if (this.#looksMs.length < LOOKS) return;
    const sorted = this.#looksMs.toSorted((a, b) => a - b);
    this.#device = { state: 'ready', lookMs: sorted[LOOKS >> 1] ?? 0 };
  }

  #fail(error: unknown): void {
    if (this.#disposed || this.#device.state === 'failed') return;
    console.warn(`gaze-relay: device mode: ${describeError(error)}`);
    this.#eyes?.close();
    this.#eyes = null;
    this.#loaded = null;
    this.#device = { state: 'failed' };
    this.#decide();
  }

  #tell({ mode, reason }: Pick<ModeChoice, 'mode' | 'reason'>): void {
    const told = this.#told;
    const loaded = reason === 'preparing' ? this.#loaded : null;
    if (
      told !== null &&
      told.mode === mode &&
      told.reason === reason &&
      told.loaded === loaded &&
      told.downloadedBytes === this.#downloadedBytes
    )
      return;
    this.#told = {
      mode,
      reason,
      message: explainMode({ mode, reason }),
      loaded,
      downloadedBytes: this.#downloadedBytes,
    };
    this.#options.onReport(this.#told);
  }
}
