import type { Sharp } from 'sharp';
import type { Codec } from '../shared/protocol/frames.ts';

/** How a page encodes a picture. */
export interface PictureFormat {
  /** 0–1, as canvas encoders take it. */
  readonly quality: number;
  readonly codec: Codec;
  /** In shades of grey, as pages send. */
  readonly grey: boolean;
}

/** Share of red, green and blue in the brightness that the page's canvas keeps: W3C Compositing and Blending Level 1, 10.2. */
const LUMINOSITY: [number, number, number] = [0.3, 0.59, 0.11];
/** How hard libwebp tries, 0–6, in sharp; 3 comes nearest to Chromium's bytes. */
const WEBP_EFFORT = 3;

/** A drawn picture in a format's colours and codec, without metadata, near enough what Chromium's canvas makes of it. */
export function encodePicture(drawn: Sharp, { codec, grey, quality }: PictureFormat): Promise<Buffer> {
  const coloured = grey ? drawn.recomb([LUMINOSITY, LUMINOSITY, LUMINOSITY]) : drawn;
  const percent = Math.round(100 * quality);
  const encoded =
    codec === 'jpeg' ? coloured.jpeg({ quality: percent }) : coloured.webp({ quality: percent, effort: WEBP_EFFORT });
  return encoded.toBuffer();
}
