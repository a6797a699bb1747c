import type { FrameSize, RectPx } from '../../shared/geometry.ts';

/** Fraction of its size by which a crop may be off the hint before it is worth moving. */
const CROP_SLACK = 0.06;

/** Scale of a crop while no hint follows the face. */
const UNGUIDED_SCALE = 1.6;

/**
 * A hint for queued pictures: the last one, with room for the face to move. Camera pixels, may reach outside the
 * frame.
 */
export function widenHint({ xPx, yPx, widthPx, heightPx }: RectPx): RectPx {
  const grow = (UNGUIDED_SCALE - 1) / 2;
  return {
    xPx: Math.round(xPx - widthPx * grow),
    yPx: Math.round(yPx - heightPx * grow),
    widthPx: Math.round(widthPx * UNGUIDED_SCALE),
    heightPx: Math.round(heightPx * UNGUIDED_SCALE),
  };
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
    crop: { xPx: 0, yPx: 0, ...camera },
    fullFrame: true,
  };
  const crop = hint === null ? null : clampRect(hint, camera);
  const choice = crop === null ? whole : { crop, fullFrame: false };
  const stays = previous !== null && previous.fullFrame === choice.fullFrame && isClose(previous.crop, choice.crop);
  return stays ? previous : choice;
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
