import { RelayError } from '../../shared/errors.ts';
import type { FaceRoi, RectPx } from '../../shared/geometry.ts';
import { createPlainPictures, measureQuality, type Picture, pixelMap, shownOf } from '../../shared/vision/image.ts';
import { MESH_FORMAT } from '../../shared/vision/locate.ts';
import { isUsableHint } from '../../shared/vision/roi.ts';
import { decodeImage, decodeRgba } from './decode.ts';
import { kernelIsSupported, PixelKernel } from './kernel.ts';
import { contains, regionTouched, type Size, wholeOf } from './region.ts';
import { decodeWebp } from './webp.ts';

/** A picture's bytes, past the guard. */
export interface PictureFile {
  readonly bytes: Uint8Array;
  readonly format: 'jpeg' | 'webp';
  readonly widthPx: number;
  readonly heightPx: number;
  /** The part of the camera's frame it shows, camera pixels. */
  readonly crop: RectPx;
}

/**
 * Makes pictures of files. `firstLook` is where the engine will look first, when that is known; it
 * changes what is decoded when, never what is seen. One picture at a time: the next one replaces it.
 * Rejects, as the picture's methods throw, with RelayError `image_corrupt`.
 */
export type PictureReader = (file: PictureFile, firstLook: FaceRoi | null) => Promise<Picture>;

/** Decodes with sharp alone and samples in plain JavaScript. */
export function createPlainReader(): PictureReader {
  const pictureOf = createPlainPictures();
  return async (file) => pictureOf({ image: await decodeImage(file.bytes, file), crop: file.crop });
}

/** Decodes JPEG in the kernel, only the part that is used, WebP with libwebp; JPEG of a kind the kernel does not know with sharp. */
export function createKernelReader(kernel: PixelKernel): PictureReader {
  return async (file, firstLook) => {
    const size: Size = { widthPx: file.widthPx, heightPx: file.heightPx };
    const { crop } = file;
    let decoded: RectPx = { xPx: 0, yPx: 0, widthPx: 0, heightPx: 0 };

    const decode = (region: RectPx): 'done' | 'unsupported' => {
      const verdict = kernel.decode(file.bytes, region);
      if (verdict === 'corrupt') throw new RelayError('image_corrupt', 'the JPEG is damaged or cut off');
      if (verdict === 'done') decoded = region;
      return verdict;
    };

    const first =
      firstLook !== null && isUsableHint(firstLook, crop)
        ? regionTouched(pixelMap(size, crop, firstLook, MESH_FORMAT.sizePx), MESH_FORMAT.sizePx, size)
        : wholeOf(size);
    const loadWhole = (rgba: Uint8Array): void => {
      kernel.load(rgba);
      decoded = wholeOf(size);
    };
    if (file.format === 'webp') loadWhole(await decodeWebp(file.bytes, size));
    else if (decode(first) === 'unsupported') loadWhole(await decodeRgba(file.bytes, size));

    return {
      crop,
      sample: (roi, format) => {
        const map = pixelMap(size, crop, roi, format.sizePx);
        if (!contains(decoded, regionTouched(map, format.sizePx, size))) decode(wholeOf(size));
        const [planes, whole] = kernel.sample(size.widthPx, size.heightPx, map, format);
        // The kernel measures all that it has cut out; what lies beyond the picture says nothing of it.
        const shown = shownOf(map, size, format.sizePx);
        return { planes, quality: shown === null ? whole : measureQuality(planes, format, shown) };
      },
      pixels: () => {
        if (!contains(decoded, wholeOf(size))) decode(wholeOf(size));
        return { data: kernel.pixels(size.widthPx, size.heightPx), ...size, channels: 4 };
      },
    };
  };
}

/** The fastest reader this machine has. */
export function createPictureReader(): PictureReader {
  return kernelIsSupported() ? createKernelReader(new PixelKernel()) : createPlainReader();
}
