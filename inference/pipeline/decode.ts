import sharp, { type OutputInfo } from 'sharp';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { PixelImage } from '../../shared/vision/image.ts';
import { MAX_IMAGE_HEIGHT_PX, MAX_IMAGE_WIDTH_PX } from './guard.ts';

/** For a process that decodes one small picture at a time: no threads and no cache of libvips' own. */
export function tuneDecoder(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

/**
 * Pixels of a picture that passed guardImage. Rejects with RelayError `image_corrupt` when it
 * cannot be decoded whole and without complaint, or is not of the size its header says.
 */
export async function decodeImage(
  bytes: Uint8Array,
  header: { readonly widthPx: number; readonly heightPx: number },
): Promise<PixelImage> {
  let data: Buffer;
  let info: OutputInfo;
  try {
    ({ data, info } = await sharp(bytes, {
      failOn: 'warning',
      limitInputPixels: MAX_IMAGE_WIDTH_PX * MAX_IMAGE_HEIGHT_PX,
    })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true }));
  } catch (error) {
    throw new RelayError('image_corrupt', describeError(error), { cause: error });
  }
  if (info.width !== header.widthPx || info.height !== header.heightPx || info.channels !== 3) {
    throw new RelayError(
      'image_corrupt',
      `decoded to ${info.width}×${info.height}×${info.channels}, the header says ${header.widthPx}×${header.heightPx}`,
    );
  }
  return { data, widthPx: info.width, heightPx: info.height, channels: 3 };
}
