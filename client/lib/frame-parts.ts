const SIDE_PX = 16;
const SETTINGS = { alpha: false, willReadFrequently: true } as const;

/**
 * Whether a part of a video's frame is drawn where that part is asked for: WebKit draws the whole frame, without an
 * error. Tried on a picture that is black on its left and white on its right. False where there is no VideoFrame.
 */
export function drawsPartsOfFrames(): boolean {
  try {
    const known = new OffscreenCanvas(SIDE_PX, SIDE_PX);
    const drawn = new OffscreenCanvas(SIDE_PX, SIDE_PX);
    const halves = known.getContext('2d', SETTINGS);
    const context = drawn.getContext('2d', SETTINGS);
    if (halves === null || context === null) return false;
    halves.fillStyle = '#fff';
    halves.fillRect(SIDE_PX / 2, 0, SIDE_PX / 2, SIDE_PX);
    const frame = new VideoFrame(known, { timestamp: 0 });
    context.drawImage(frame, SIDE_PX / 2, 0, SIDE_PX / 2, SIDE_PX, 0, 0, SIDE_PX, SIDE_PX);
    frame.close();
    const [luma = 0] = context.getImageData(2, SIDE_PX / 2, 1, 1).data;
    return luma > 128;
  } catch {
    return false;
  }
}

/**
 * The video's present frame, without reading a pixel of it. Null where the video element turns its frames upright, as
 * those of some phones: what is drawn of it is upright, what is drawn of the frame is not. Throws without VideoFrame.
 */
export function uprightFrame(video: HTMLVideoElement): VideoFrame | null {
  const frame = new VideoFrame(video);
  if (frame.displayWidth === video.videoWidth && frame.displayHeight === video.videoHeight) return frame;
  frame.close();
  return null;
}
