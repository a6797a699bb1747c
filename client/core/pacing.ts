import type { FrameSize, RectPx } from '../../shared/geometry.ts';
import type { Guidance } from './guidance.ts';

/** A picture leaves at least this often, however still the student sits (DESIGN: a frozen camera shows). */
export const REAL_FRAME_EVERY_MS = 2000;

/** Rate before the gateway has said anything, and upper bound where the page asks for none. */
export const DEFAULT_FPS = 5;

/** A gateway that asks for 0 is still asked now and then, or its answer could never change. */
const LEAST_FPS = 0.2;

/** Largest JPEG quality worth its bytes for a face crop of 192 px. */
const BEST_JPEG_QUALITY = 0.6;

/** Fraction of its size by which a crop may be off the hint before it is worth moving. */
const CROP_SLACK = 0.06;

/** Pictures per second to aim for: the least of what the page and the gateway allow. */
export function targetFps(optionFps: number | null, guidance: Guidance | null): number {
  const asked = optionFps ?? DEFAULT_FPS;
  const allowed = guidance === null ? DEFAULT_FPS : guidance.maxFps;
  return Math.max(LEAST_FPS, Math.min(asked, allowed));
}

/** JPEG quality 0–1: the page's option is an upper bound. */
export function jpegQuality(option: number): number {
  return Math.min(option, BEST_JPEG_QUALITY);
}

/**
 * When the picture after this one is due, or null while this one is not yet. Times on the monotonic
 * clock, ms; `dueMs` is null before the first. Keeps the rate on average though video frames come
 * on their own beat, and does not catch up on what was missed.
 */
export function nextDueMs(dueMs: number | null, nowMs: number, fps: number): number | null {
  const intervalMs = 1000 / fps;
  if (dueMs === null || nowMs - dueMs >= intervalMs) return nowMs + intervalMs;
  return nowMs >= dueMs ? dueMs + intervalMs : null;
}

/** What to cut out of the camera frame. */
export interface CropChoice {
  readonly crop: RectPx;
  readonly fullFrame: boolean;
}

/**
 * The part of the camera frame to send: the gateway's hint within the frame, or the whole frame
 * where there is none. `previous` stays in use while it covers the hint nearly as well, so that a
 * student who sits still gives the same picture again.
 */
export function chooseCrop(hint: RectPx | null, camera: FrameSize, previous: CropChoice | null): CropChoice {
  const whole: CropChoice = {
    crop: { xPx: 0, yPx: 0, widthPx: camera.widthPx, heightPx: camera.heightPx },
    fullFrame: true,
  };
  if (hint === null) return whole;
  const crop = clampRect(hint, camera);
  if (crop === null) return whole;
  if (previous !== null && !previous.fullFrame && isClose(previous.crop, crop)) return previous;
  return { crop, fullFrame: false };
}

function clampRect(rect: RectPx, camera: FrameSize): RectPx | null {
  const xPx = Math.max(0, Math.floor(rect.xPx));
  const yPx = Math.max(0, Math.floor(rect.yPx));
  const widthPx = Math.min(camera.widthPx, Math.ceil(rect.xPx + rect.widthPx)) - xPx;
  const heightPx = Math.min(camera.heightPx, Math.ceil(rect.yPx + rect.heightPx)) - yPx;
  return widthPx < 16 || heightPx < 16 ? null : { xPx, yPx, widthPx, heightPx };
}

function isClose(a: RectPx, b: RectPx): boolean {
  const slackPx = CROP_SLACK * Math.max(b.widthPx, b.heightPx);
  return (
    Math.abs(a.xPx - b.xPx) <= slackPx &&
    Math.abs(a.yPx - b.yPx) <= slackPx &&
    Math.abs(a.xPx + a.widthPx - b.xPx - b.widthPx) <= slackPx &&
    Math.abs(a.yPx + a.heightPx - b.yPx - b.heightPx) <= slackPx
  );
}

/** Size to draw a crop at: its longer side at most `imageSizePx`, never enlarged, at least 1 px. */
export function drawSize(crop: RectPx, imageSizePx: number): FrameSize {
  const scale = Math.min(1, imageSizePx / Math.max(crop.widthPx, crop.heightPx));
  return {
    widthPx: Math.max(1, Math.round(crop.widthPx * scale)),
    heightPx: Math.max(1, Math.round(crop.heightPx * scale)),
  };
}
