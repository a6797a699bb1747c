import sharp from 'sharp';
import { drawSize } from '../../client/capture/crop-choice.ts';
import { encodePicture, type PictureFormat } from '../../harness/page-pictures.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { nextCrop } from '../../shared/vision/crop.ts';
import { decode, type Shot } from './look.ts';

/** A way of sending a face. */
export interface SendingWay extends PictureFormat {
  /** Longer side of the face's crop, px; null: the whole frame at its own size. */
  readonly sizePx: number | null;
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
  const encoded = await encodePicture(drawn, way);
  const arrived = await decode(encoded);
  return { shot: { image: arrived.image, frame, crop }, bytes: encoded.byteLength };
}
