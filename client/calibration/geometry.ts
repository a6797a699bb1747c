import type { ScreenSize } from '../../shared/protocol/calibration.ts';
import { PLACES } from './sequence.ts';

/** A browser's window and screen; CSS pixels. */
export interface WindowPlace {
  readonly screenXPx: number;
  readonly screenYPx: number;
  readonly outerWidthPx: number;
  readonly outerHeightPx: number;
  readonly innerWidthPx: number;
  readonly innerHeightPx: number;
  readonly screenWidthPx: number;
  readonly screenHeightPx: number;
  /** Left and upper edge of this screen among several. */
  readonly screenLeftPx: number;
  readonly screenTopPx: number;
}

/** Points keep this far from the window's edges. */
const MARGIN_SHARE = 0.07;
const MIN_MARGIN_PX = 28;

/** Where the points are in the window, CSS pixels, in the order of PLACES. */
export function pointsInWindow(widthPx: number, heightPx: number): { readonly xPx: number; readonly yPx: number }[] {
  const marginX = Math.max(MIN_MARGIN_PX, widthPx * MARGIN_SHARE);
  const marginY = Math.max(MIN_MARGIN_PX, heightPx * MARGIN_SHARE);
  return PLACES.map(({ x, y }) => ({
    xPx: marginX + x * (widthPx - 2 * marginX),
    yPx: marginY + y * (heightPx - 2 * marginY),
  }));
}

const isShare = (value: number): boolean => value >= 0 && value <= 1;

/** A window's frame takes less than this share of its width: what is more comes from zooming the page. */
const FRAME_SHARE = 0.03;

/**
 * Points of the window as shares of the screen. A zoomed page has larger pixels than its window and its screen; the window's own bars
 * are taken to be above the page. If a browser reports nonsense (some report 0 for everything), the page counts as the screen.
 */
export function sharesOfScreen(
  points: readonly { readonly xPx: number; readonly yPx: number }[],
  place: WindowPlace,
): { readonly across: number; readonly down: number }[] {
  const ratio = place.outerWidthPx / place.innerWidthPx;
  const zoom = Math.abs(ratio - 1) < FRAME_SHARE ? 1 : ratio;
  const frame = Math.max(0, (place.outerWidthPx - zoom * place.innerWidthPx) / 2);
  const bars = Math.max(0, place.outerHeightPx - zoom * place.innerHeightPx - frame);
  const onScreen = points.map(({ xPx, yPx }) => ({
    across: (place.screenXPx - place.screenLeftPx + frame + zoom * xPx) / place.screenWidthPx,
    down: (place.screenYPx - place.screenTopPx + bars + zoom * yPx) / place.screenHeightPx,
  }));
  if (onScreen.every(({ across, down }) => isShare(across) && isShare(down))) return onScreen;
  return points.map(({ xPx, yPx }) => ({ across: xPx / place.innerWidthPx, down: yPx / place.innerHeightPx }));
}

const CM_PER_INCH = 2.54;
/**
 * CSS pixels per inch by the screen's longer side: browsers do not report it. Phones are made with about 160, laptops with 110–130
 * (1440 or 1536 pixels on 13–15 inches), monitors with 90–100 (1920 on 22–24 inches).
 */
const DENSITIES = [
  { upToPx: 1000, perInch: 160 },
  { upToPx: 1700, perInch: 120 },
  { upToPx: Number.POSITIVE_INFINITY, perInch: 96 },
] as const;

/** Likely size of a screen of so many CSS pixels; null if the browser does not report it. Off by up to a fifth. */
export function likelyScreenSize(widthPx: number, heightPx: number): ScreenSize | null {
  const longerPx = Math.max(widthPx, heightPx);
  const density = DENSITIES.find(({ upToPx }) => longerPx <= upToPx);
  if (density === undefined || !(Math.min(widthPx, heightPx) >= 200)) return null;
  const cm = (px: number): number => Math.round((px / density.perInch) * CM_PER_INCH * 10) / 10;
  return { widthCm: cm(widthPx), heightCm: cm(heightPx) };
}
