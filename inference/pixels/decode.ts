import type { OutputInfo, Sharp, SharpInput, SharpOptions } from 'sharp';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { PixelImage } from '../../shared/vision/image.ts';
import { MAX_IMAGE_LONG_SIDE_PX, MAX_IMAGE_SHORT_SIDE_PX } from './guard.ts';
import type { Size } from './region.ts';

type MakeSharp = (input: SharpInput, options: SharpOptions) => Sharp;
let loading: Promise<MakeSharp> | null = null;

/** Loaded when a picture needs it: most never do, and it takes longer to load than all the rest of a worker's code. */
function libvips(): Promise<MakeSharp> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // One small picture at a time: no threads and no cache of libvips' own.
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  });
  return loading;
}

async function decode(bytes: Uint8Array, header: Size, channels: 3 | 4): Promise<Buffer> {
  let data: Buffer;
  let info: OutputInfo;
  const sharp = await libvips();
  try {
    const colours = sharp(bytes, {
      failOn: 'warning',
      limitInputPixels: MAX_IMAGE_LONG_SIDE_PX * MAX_IMAGE_SHORT_SIDE_PX,
    }).toColourspace('srgb');
    ({ data, info } = await (channels === 3 ? colours.removeAlpha() : colours.ensureAlpha())
      .raw()
      .toBuffer({ resolveWithObject: true }));
  } catch (error) {
    throw new RelayError('image_corrupt', describeError(error), { cause: error });
  }
  if (info.width !== header.widthPx || info.height !== header.heightPx || info.channels !== channels) {
    throw new RelayError(
      'image_corrupt',
      `decoded to ${info.width}×${info.height}×${info.channels}, the header says ${header.widthPx}×${header.heightPx}`,
    );
  }
  return data;
}

/**
 * Pixels of a picture that passed guardImage, with libvips. Rejects with RelayError `image_corrupt`
 * when it cannot be decoded whole and without complaint, or is not of the size its header says.
 */
export async function decodeImage(bytes: Uint8Array, header: Size): Promise<PixelImage> {
  const { widthPx, heightPx } = header;
  return { data: await decode(bytes, header, 3), widthPx, heightPx, channels: 3 };
}

/** The same as decodeImage with an opaque fourth byte for each pixel. */
export function decodeRgba(bytes: Uint8Array, header: Size): Promise<Uint8Array> {
  return decode(bytes, header, 4);
}
