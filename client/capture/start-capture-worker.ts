import { GATEWAY_ASSETS } from '../lib/gateway-assets.ts';
import { startWorker } from '../lib/start-worker.ts';
import type { FromCaptureWorker } from './worker-messages.ts';

/** A worker that has not answered by then will not, even on a slow link. */
const READY_TIMEOUT_MS = 20_000;

export interface StartedWorker {
  readonly worker: Worker;
  /** True where this browser encodes WebP. */
  readonly webp: boolean;
  /** True where this browser draws parts of a VideoFrame as asked. */
  readonly crops: boolean;
}

let ahead: Promise<StartedWorker | null> | null = null;

/** Loads the worker while the ticket is fetched and the camera opened. */
export function startCaptureAhead(httpOrigin: string): void {
  ahead ??= startCaptureWorker(httpOrigin);
}

/** The worker that was started ahead, once, or a new one. Resolves as startCaptureWorker. */
export function takeCaptureWorker(httpOrigin: string): Promise<StartedWorker | null> {
  startCaptureAhead(httpOrigin);
  const taken = ahead ?? Promise.resolve(null);
  ahead = null;
  return taken;
}

/**
 * Loads the capture worker from the gateway and starts it. Resolves with null if that fails: no workers in this browser,
 * a content security policy without `worker-src blob:`, or a newer client on the gateway.
 */
function startCaptureWorker(httpOrigin: string): Promise<StartedWorker | null> {
  if (GATEWAY_ASSETS === null || typeof Worker !== 'function' || typeof OffscreenCanvas !== 'function') {
    return Promise.resolve(null);
  }
  const url = `${httpOrigin}/${GATEWAY_ASSETS.captureWorker}`;
  return new Promise<StartedWorker | null>((resolve) => {
    let worker: Worker;
    try {
      worker = startWorker(url, 'gaze-relay capture');
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
      resolve({ worker, webp: data.webp, crops: data.crops });
    };
  });
}
