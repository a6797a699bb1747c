import sharp, { type Sharp } from 'sharp';
import { drawSize } from '../../client/capture/crop-choice.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import type { Codec } from '../../shared/protocol/frames.ts';
import { nextCrop } from '../../shared/vision/crop.ts';
import { decode, type Shot } from './look.ts';

/** A way of sending a face. */
export interface SendingWay {
  /** Longer side of the face's crop, px; null: the whole frame at its own size. */
  readonly sizePx: number | null;
  /** 0–1, as canvas encoders take it. */
  readonly quality: number;
  readonly codec: Codec;
  /** In shades of grey, as pages send. */
  readonly grey: boolean;
}

/** Name of a way's format. */
export function formatName({ codec, grey }: Pick<SendingWay, 'codec' | 'grey'>): string {
  return grey ? `grey ${codec}` : codec;
}

/** What is sent, in words; null is the camera's own frame. */
export function wayName(way: SendingWay | null): string {
  if (way === null) return 'whole, unharmed';
  const size = way.sizePx === null ? 'whole' : `${way.sizePx} px`;
  return `${formatName(way)}, ${size}, quality ${way.quality}`;
}

/** A picture as it arrives, and the bytes it took. */
export interface Resent {
  readonly shot: Shot;
  readonly bytes: number;
}

/** Share of red, green and blue in the brightness that the page's canvas keeps: W3C Compositing and Blending Level 1, 10.2. */
const LUMINOSITY: [number, number, number] = [0.3, 0.59, 0.11];
/** How hard libwebp tries, 0–6, in sharp; 3 comes nearest to Chromium's bytes. */
const WEBP_EFFORT = 3;

/** A drawn picture in a way's colours and format, without metadata, near enough what Chromium's canvas makes of it. */
export function encodeWay(drawn: Sharp, { codec, grey, quality }: Omit<SendingWay, 'sizePx'>): Promise<Buffer> {
  const coloured = grey ? drawn.recomb([LUMINOSITY, LUMINOSITY, LUMINOSITY]) : drawn;
  const percent = Math.round(100 * quality);
  const encoded =
    codec === 'jpeg' ? coloured.jpeg({ quality: percent }) : coloured.webp({ quality: percent, effort: WEBP_EFFORT });
  return encoded.toBuffer();
}

/**
 * A picture as a page would send it after `observation` of it or of the frame before: its face cut out, drawn at most
 * at its own size, encoded without metadata and decoded again. Null when there is no face to cut out.
 */
export async function resend(shot: Shot, observation: FaceObservation, way: SendingWay): Promise<Resent | null> {
  const { image, frame } = shot;
  const crop = way.sizePx === null ? shot.crop : nextCrop(observation, frame);
  if (crop === null) return null;
  const { widthPx, heightPx } = drawSize(crop, way.sizePx ?? Number.POSITIVE_INFINITY);
  const drawn = sharp(image.data, { raw: { width: image.widthPx, height: image.heightPx, channels: 3 } })
    .extract({ left: crop.xPx, top: crop.yPx, width: crop.widthPx, height: crop.heightPx })
    .resize({ width: widthPx, height: heightPx, fit: 'fill' });
  const encoded = await encodeWay(drawn, way);
  const arrived = await decode(encoded);
  return { shot: { image: arrived.image, frame, crop }, bytes: encoded.byteLength };
}
