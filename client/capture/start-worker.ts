import source from './capture-worker.ts?inline';
import type { FromCaptureWorker } from './worker-messages.ts';

/** A worker that has not answered by then will not. */
const READY_TIMEOUT_MS = 5000;

export interface StartedWorker {
  readonly worker: Worker;
  /** True where this browser truly encodes WebP. */
  readonly webp: boolean;
}

/**
 * Starts the capture worker. Its script is part of this one and goes in by a Blob address, because a
 * page may not start a worker from another origin. Resolves with null where the browser or the
 * page's content security policy gives none (`worker-src blob:` would).
 */
export function startCaptureWorker(): Promise<StartedWorker | null> {
  if (typeof Worker !== 'function' || typeof OffscreenCanvas !== 'function') return Promise.resolve(null);
  const address = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  return new Promise<StartedWorker | null>((resolve) => {
    let worker: Worker;
    try {
      worker = new Worker(address, { name: 'gaze-relay capture' });
    } catch {
      resolve(null);
      return;
    }
    const giveUp = () => {
      worker.terminate();
      resolve(null);
    };
    const timer = setTimeout(giveUp, READY_TIMEOUT_MS);
    worker.onerror = (event) => {
      event.preventDefault();
      clearTimeout(timer);
      giveUp();
    };
    worker.onmessage = ({ data }: MessageEvent<FromCaptureWorker>) => {
      if (data.type !== 'ready') return;
      clearTimeout(timer);
      resolve({ worker, webp: data.webp });
    };
  }).finally(() => URL.revokeObjectURL(address));
}
