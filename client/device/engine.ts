import { RelayError } from '../../shared/errors.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { GatewayAssets } from '../lib/gateway-assets.ts';
import { startWorker } from '../lib/start-worker.ts';
import type { FromWorker, Observed, ToWorker } from './messages.ts';

/** The result for one picture. */
export interface Inferred extends Observed {
  readonly inferenceMs: number;
}

/** Speed of a device that is ready, and what loading cost. */
export interface Readiness {
  /** Time for one picture with both models, ms. */
  readonly inferenceMs: number;
  /** Bytes that the link carried for the models; 0 if the browser had them cached. */
  readonly downloadedBytes: number;
  /** True where a VideoFrame may be given to `infer`, which costs the page's thread less than a bitmap. */
  readonly takesFrames: boolean;
}

export interface DeviceEngineOptions {
  /** Origin of the gateway: worker and models come from there. */
  readonly httpOrigin: string;
  readonly assets: Pick<GatewayAssets, 'deviceWorker' | 'deviceModels' | 'deviceModelsBytes'>;
  /** Share of the models that is loaded, 0–1. */
  onProgress?(share: number): void;
}

/** The models on the student's device, in a worker: pictures in, observations out. */
export class DeviceEngine {
  readonly ready: Promise<Readiness>;
  readonly #worker: Worker;
  readonly #pending = new Map<number, { resolve: (inferred: Inferred) => void; reject: (error: unknown) => void }>();
  #nextId = 0;
  #readiness: Readiness | null = null;
  #failed: RelayError | null = null;

  /** Starts loading. Throws where the browser allows no worker; `ready` rejects with RelayError: what the worker says. */
  constructor({ httpOrigin, assets, onProgress }: DeviceEngineOptions) {
    const worker = startWorker(`${httpOrigin}/${assets.deviceWorker}`, 'gaze-relay device');
    this.#worker = worker;
    this.ready = new Promise((resolve, reject) => {
      const fail = (error: RelayError) => {
        this.#failed = error;
        reject(error);
        for (const picture of this.#pending.values()) picture.reject(error);
        this.#pending.clear();
      };
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        switch (data.type) {
          case 'progress':
            onProgress?.(Math.min(1, data.loadedBytes / assets.deviceModelsBytes));
            return;
          case 'ready':
            this.#readiness = data;
            resolve(data);
            return;
          case 'inferred':
            this.#pending.get(data.id)?.resolve(data);
            this.#pending.delete(data.id);
            return;
          case 'failed':
            fail(new RelayError(data.code, data.message));
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        fail(new RelayError('device_unavailable', event.message || 'the worker could not be loaded'));
      };
    });
    // Without a handler the browser would report an unhandled rejection.
    this.ready.catch(() => {});
    this.#post(
      { type: 'open', modelsUrl: `${httpOrigin}/${assets.deviceModels}`, modelsBytes: assets.deviceModelsBytes },
      [],
    );
  }

  /** True once the models are loaded and warm. */
  get isReady(): boolean {
    return this.#readiness !== null;
  }

  get takesFrames(): boolean {
    return this.#readiness?.takesFrames === true;
  }

  /**
   * Analyses a picture, which is closed; `rests`: only what has changed is of use. Rejects with RelayError when the worker
   * failed.
   */
  infer(picture: VideoFrame | ImageBitmap, camera: FrameSize, captureMs: number, rests: boolean): Promise<Inferred> {
    if (this.#failed !== null) {
      picture.close();
      return Promise.reject(this.#failed);
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#post({ type: 'infer', id, picture, camera, captureMs, rests }, [picture]);
    });
  }

  forget(): void {
    this.#post({ type: 'forget' }, []);
  }

  /** Ends the worker; pending pictures never settle. */
  close(): void {
    this.#pending.clear();
    this.#worker.terminate();
  }

  #post(message: ToWorker, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }
}
