import type { Mode } from '../../shared/direction.ts';
import { describeError } from '../../shared/errors.ts';
import type { Update } from '../../shared/protocol/update.ts';
import type { CreatePlacement, Placement } from '../capture/placement.ts';
import { ServerPlacement } from '../capture/server-placement.ts';
import type { DeviceEngine } from '../device/engine.ts';
import { deviceIsSupported } from '../device/support.ts';
import { GATEWAY_ASSETS } from '../lib/gateway-assets.ts';
import type { DeviceMode } from './device-mode.ts';
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

/** Where pictures are analysed, and why. */
export interface ModeReport {
  readonly mode: Mode;
  readonly reason: ModeReason;
  /** For the student. */
  readonly message: string;
  /** Share of the models that is loaded while the device is being prepared, 0–1; otherwise null. */
  readonly loaded: number | null;
  /** Bytes that the student's link carried for the models; 0 before, and if the browser had them cached. */
  readonly downloadedBytes: number;
}

export interface ModeControllerOptions {
  readonly httpOrigin: string;
  readonly wish: ModeWish;
  readonly lessData: boolean;
  /** Loads what device mode needs. Rejects with RelayError. */
  loadDeviceMode(): Promise<DeviceMode>;
  /** Pictures per second that are wanted now. */
  wantedFps(): number;
  /** Replaces the placement. */
  exchange(createPlacement: CreatePlacement): void;
  /** False while something must be sent in the current mode first. */
  canChange(): boolean;
  onReport(report: ModeReport): void;
  /** Device mode cannot be used. `code`: of the RelayError that says why; null where none does. */
  onFailed(code: string | null): void;
}

const DECIDE_EVERY_MS = 1000;
/** The device's speed is the median of this many pictures. */
const SPEED_SAMPLES = 15;
const LOADED_STEP = 0.05;
/** Until device mode is loaded there is nothing to take pictures for. */
const NO_PLACEMENT: Placement = { mode: 'device', start() {}, stop() {}, forget() {}, dispose() {} };

/** Decides where pictures are analysed while a session runs, and prepares the device. */
export class ModeController {
  readonly #options: ModeControllerOptions;
  readonly #meter = new LinkMeter();
  readonly #timer: ReturnType<typeof setInterval>;
  #wish: ModeWish;
  #lessData: boolean;
  #mode: Mode;
  #device: DeviceReading;
  #deviceMode: DeviceMode | null = null;
  #engine: DeviceEngine | null = null;
  #inferencesMs: number[] = [];
  #loaded: number | null = null;
  #downloadedBytes = 0;
  #reported: ModeReport | null = null;
  #disposed = false;

  constructor(options: ModeControllerOptions) {
    this.#options = options;
    this.#wish = options.wish;
    this.#lessData = options.lessData;
    this.#device = { state: deviceIsSupported() ? 'not_prepared' : 'unsupported' };
    this.#mode = options.wish === 'device' ? 'device' : 'server';
    this.#timer = setInterval(() => this.#decide(), DECIDE_EVERY_MS);
  }

  get mode(): Mode {
    return this.#mode;
  }

  get report(): ModeReport | null {
    return this.#reported;
  }

  /** Creates the placement of the current mode. */
  readonly createPlacement: CreatePlacement = (context) =>
    this.#mode === 'server'
      ? new ServerPlacement(context, this.#options.httpOrigin)
      : (this.#deviceMode?.createPlacement(context, {
          engine: () => this.#engine,
          onInferred: (inferenceMs) => this.#noteInference(inferenceMs),
          onFailed: (error) => this.#fail(error),
        }) ?? NO_PLACEMENT);

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

  /** Pictures are being taken while connected, or no longer. */
  noteFlowing(flowing: boolean): void {
    this.#meter.setFlowing(flowing && this.#mode === 'server', performance.now());
  }

  dispose(): void {
    this.#disposed = true;
    clearInterval(this.#timer);
    this.#engine?.close();
    this.#engine = null;
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
    if (choice.prepare && this.#device.state === 'not_prepared') void this.#prepare();
    if (choice.mode !== this.#mode) {
      if (!canChange()) return;
      this.#mode = choice.mode;
      this.#inferencesMs = [];
      this.#meter.reset(performance.now());
      exchange(this.createPlacement);
    }
    this.#report(choice);
  }

  async #prepare(): Promise<void> {
    this.#device = { state: 'preparing' };
    this.#loaded = 0;
    const { exchange, httpOrigin, loadDeviceMode } = this.#options;
    try {
      const deviceMode = await loadDeviceMode();
      if (this.#disposed || GATEWAY_ASSETS === null) return;
      const onProgress = (share: number) => this.#progress(share);
      this.#engine = deviceMode.openEngine({ httpOrigin, assets: GATEWAY_ASSETS, onProgress });
      this.#deviceMode = deviceMode;
      const { inferenceMs, downloadedBytes } = await this.#engine.ready;
      this.#loaded = null;
      this.#downloadedBytes = downloadedBytes;
      this.#device = { state: 'ready', inferenceMs };
      if (this.#mode === 'device') exchange(this.createPlacement);
      this.#decide();
    } catch (error) {
      this.#fail(error);
    }
  }

  #progress(share: number): void {
    const step = Math.floor(share / LOADED_STEP) * LOADED_STEP;
    if (step === this.#loaded) return;
    this.#loaded = step;
    if (this.#reported !== null) this.#report(this.#reported);
  }

  #noteInference(inferenceMs: number): void {
    this.#inferencesMs = [...this.#inferencesMs.slice(1 - SPEED_SAMPLES), inferenceMs];
    // A few pictures say little: the first ones are slower.
    if (this.#inferencesMs.length < SPEED_SAMPLES) return;
    const sorted = this.#inferencesMs.toSorted((a, b) => a - b);
    this.#device = { state: 'ready', inferenceMs: sorted[SPEED_SAMPLES >> 1] ?? 0 };
  }

  #fail(error: unknown): void {
    if (this.#disposed || this.#device.state === 'failed') return;
    console.warn(`gaze-relay: device mode: ${describeError(error)}`);
    this.#engine?.close();
    this.#engine = null;
    this.#loaded = null;
    this.#device = { state: 'failed' };
    // Not by its class: the module of device mode has a copy of its own.
    const code = error instanceof Error && 'code' in error ? error.code : null;
    this.#options.onFailed(typeof code === 'string' ? code : null);
    this.#decide();
  }

  #report({ mode, reason }: Pick<ModeChoice, 'mode' | 'reason'>): void {
    const last = this.#reported;
    const loaded = reason === 'preparing' ? this.#loaded : null;
    if (
      last !== null &&
      last.mode === mode &&
      last.reason === reason &&
      last.loaded === loaded &&
      last.downloadedBytes === this.#downloadedBytes
    )
      return;
    this.#reported = {
      mode,
      reason,
      message: explainMode({ mode, reason }),
      loaded,
      downloadedBytes: this.#downloadedBytes,
    };
    this.#options.onReport(this.#reported);
  }
}
