import type { ScreenSize } from './screen-setup.ts';

/** What a page can tell of its screen: CSS pixels. */
export interface ScreenHint {
  readonly widthPx: number;
  readonly heightPx: number;
}

const CM_PER_INCH = 2.54;
/**
 * CSS pixels per inch by the screen's longer side: browsers do not tell it. Phones are made with about 160, laptops with 100–130
 * (1440 or 1536 pixels on 13–15 inches) up to 140 (1920 on 15 inches), monitors with 90–100 (1920 on 22–24 inches). A large screen
 * may be either: it is taken to lie between them.
 */
const DENSITIES = [
  { upToPx: 1000, perInch: 160 },
  { upToPx: 1750, perInch: 120 },
  { upToPx: Number.POSITIVE_INFINITY, perInch: 115 },
] as const;
/** A browser that hides its screen says less than this. */
const LEAST_PX = 200;

/** Likely size of a screen; null where the browser does not tell. Off by up to a quarter. */
export function likelyScreenSize({ widthPx, heightPx }: ScreenHint): ScreenSize | null {
  const longerPx = Math.max(widthPx, heightPx);
  const density = DENSITIES.find(({ upToPx }) => longerPx <= upToPx);
  if (density === undefined || !(Math.min(widthPx, heightPx) >= LEAST_PX)) return null;
  const cm = (px: number): number => Math.round((px / density.perInch) * CM_PER_INCH * 10) / 10;
  return { widthCm: cm(widthPx), heightCm: cm(heightPx) };
}
