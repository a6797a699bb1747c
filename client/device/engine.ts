import { RelayError } from '../../shared/errors.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { GATEWAY_ASSETS } from '../lib/gateway-assets.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** What one look gave. */
export interface Seen {
  /** Null: the picture is bit for bit the one before. */
  readonly observation: FaceObservation | null;
  readonly lookMs: number;
}

/** How ready the device is. */
export interface Readiness {
  /** What one look takes, ms, with both models. */
  readonly lookMs: number;
  /** What the models took of the link; 0 where the browser had them. */
  readonly downloadedBytes: number;
}

export interface DeviceEyesOptions {
  /** Origin of the gateway: worker and models come from there. */
  readonly httpOrigin: string;
  /** Part of the models that is loaded, 0–1. */
  onProgress?(share: number): void;
}

/** Whether this browser has what device mode needs; asks nothing of the network. */
export function deviceIsSupported(): boolean {
  return (
    GATEWAY_ASSETS !== null &&
    typeof Worker !== 'undefined' &&
    typeof WebAssembly !== 'undefined' &&
    typeof OffscreenCanvas !== 'undefined' &&
    typeof createImageBitmap !== 'undefined'
  );
}

/** A worker may come from its own origin alone; from another one it is loaded by a few words of ours. */
function startWorker(url: string): Worker {
  if (new URL(url).origin === location.origin) return new Worker(url);
  const words = new Blob([`importScripts(${JSON.stringify(url)});`], { type: 'text/javascript' });
  const blobUrl = URL.createObjectURL(words);
  const worker = new Worker(blobUrl);
  // Chrome needs the address until the worker has loaded it.
  worker.addEventListener('message', () => URL.revokeObjectURL(blobUrl), { once: true });
  return worker;
}

/** The models on the student's own device, in a worker: pictures go in, observations come out. */
export class DeviceEyes {
  readonly ready: Promise<Readiness>;
  readonly #worker: Worker;
  readonly #looks = new Map<number, { resolve: (seen: Seen) => void; reject: (error: unknown) => void }>();
  #nextId = 0;
  #isReady = false;
  #failed: RelayError | null = null;

  /** Begins to load. `ready` rejects with RelayError: `device_unsupported`, or what the worker says. */
  constructor({ httpOrigin, onProgress }: DeviceEyesOptions) {
    const assets = GATEWAY_ASSETS;
    if (assets === null || !deviceIsSupported()) {
      throw new RelayError('device_unsupported', 'this browser cannot look at pictures itself');
    }
    const worker = startWorker(`${httpOrigin}/${assets.deviceWorker}`);
    this.#worker = worker;
    this.ready = new Promise((resolve, reject) => {
      const fail = (error: RelayError) => {
        this.#failed = error;
        reject(error);
        for (const look of this.#looks.values()) look.reject(error);
        this.#looks.clear();
      };
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        switch (data.type) {
          case 'progress':
            onProgress?.(Math.min(1, data.loadedBytes / assets.deviceModelsBytes));
            return;
          case 'ready':
            this.#isReady = true;
            resolve(data);
            return;
          case 'seen':
            this.#looks.get(data.id)?.resolve(data);
            this.#looks.delete(data.id);
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
    // Whoever does not wait for it must not hear of it as an error of the page.
    this.ready.catch(() => {});
    this.#post(
      { type: 'open', modelsUrl: `${httpOrigin}/${assets.deviceModels}`, modelsBytes: assets.deviceModelsBytes },
      [],
    );
  }

  /** True once a look takes no longer than it should. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Looks at a picture, which is used up. Rejects with RelayError when the worker failed. */
  look(picture: ImageBitmap, camera: FrameSize, captureMs: number): Promise<Seen> {
    if (this.#failed !== null) {
      picture.close();
      return Promise.reject(this.#failed);
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#looks.set(id, { resolve, reject });
      this.#post({ type: 'look', id, picture, camera, captureMs }, [picture]);
    });
  }

  forget(): void {
    this.#post({ type: 'forget' }, []);
  }

  /** Ends the worker; looks under way never settle. */
  close(): void {
    this.#looks.clear();
    this.#worker.terminate();
  }

  #post(message: ToWorker, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer);
  }
}
