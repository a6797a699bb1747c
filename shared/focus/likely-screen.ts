import type { ScreenSize } from './screen-setup.ts';

/** What a page can tell of its screen: CSS pixels, and whether the camera's name says that it is built in. */
export interface ScreenHint {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly builtInCamera: boolean;
}

const CM_PER_INCH = 2.54;
/**
 * CSS pixels per inch by the screen's longer side: browsers do not tell it. Phones are made with about 160, laptops with 100–130
 * (1440 or 1536 pixels on 13–15 inches) up to 140 (1920 on 15 inches), monitors with 90–100 (1920 on 22–24 inches). A large screen
 * without a built-in camera may be a laptop all the same, where the browser gives the camera no name: it is taken to lie between them.
 */
const PHONE = { upToPx: 1000, perInch: 160 } as const;
const LAPTOP = { upToPx: 1750, perInch: 120 } as const;
const LARGE_LAPTOP_PER_INCH = 140;
const LARGE_PER_INCH = 110;
/** A browser that hides its screen says less than this. */
const LEAST_PX = 200;

/** Likely size of a screen; null where the browser does not tell. Off by up to a quarter. */
export function likelyScreenSize({ widthPx, heightPx, builtInCamera }: ScreenHint): ScreenSize | null {
  const longerPx = Math.max(widthPx, heightPx);
  if (!(Math.min(widthPx, heightPx) >= LEAST_PX)) return null;
  const small = [PHONE, LAPTOP].find(({ upToPx }) => longerPx <= upToPx);
  const perInch = small?.perInch ?? (builtInCamera ? LARGE_LAPTOP_PER_INCH : LARGE_PER_INCH);
  const cm = (px: number): number => Math.round((px / perInch) * CM_PER_INCH * 10) / 10;
  return { widthCm: cm(widthPx), heightCm: cm(heightPx) };
}
