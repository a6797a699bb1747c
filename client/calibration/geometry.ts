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
