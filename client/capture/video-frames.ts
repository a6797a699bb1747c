import { setTimer } from './hidden-timer.ts';

/** Without a video frame for this long (a camera that hangs, a page in the background) the callback runs anyway. */
const FRAME_WAIT_MS = 250;

/**
 * Calls back at the video's next frame, or after a while if none comes; after `pollMs` in browsers without frame
 * callbacks. Returns a function that cancels it.
 */
export function awaitVideoFrame(video: HTMLVideoElement | null, pollMs: number, callback: () => void): () => void {
  const canAwaitFrames = video !== null && 'requestVideoFrameCallback' in video;
  const next = (): void => {
    cancel();
    callback();
  };
  const handle = canAwaitFrames ? video.requestVideoFrameCallback(next) : 0;
  const clear = setTimer(next, canAwaitFrames ? FRAME_WAIT_MS : pollMs);
  const cancel = (): void => {
    clear();
    if (canAwaitFrames) video.cancelVideoFrameCallback(handle);
  };
  return cancel;
}
