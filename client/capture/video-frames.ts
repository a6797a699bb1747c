/** Video frames that never come (a camera that hangs, a page in the background) must not stop whoever waits. */
const FRAME_WAIT_MS = 250;

/**
 * Calls back at the video's next frame, or after a while where none comes; after `pollMs` where the browser tells of no
 * frames. Returns what calls it off.
 */
export function awaitVideoFrame(video: HTMLVideoElement | null, pollMs: number, callback: () => void): () => void {
  const canAwaitFrames = video !== null && 'requestVideoFrameCallback' in video;
  const next = (): void => {
    cancel();
    callback();
  };
  const handle = canAwaitFrames ? video.requestVideoFrameCallback(next) : 0;
  const timer = setTimeout(next, canAwaitFrames ? FRAME_WAIT_MS : pollMs);
  const cancel = (): void => {
    clearTimeout(timer);
    if (canAwaitFrames) video.cancelVideoFrameCallback(handle);
  };
  return cancel;
}
