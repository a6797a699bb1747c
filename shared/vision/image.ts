import type { FaceRoi, RectPx } from '../geometry.ts';

/** A decoded picture: rows from the top, pixels interleaved, red first. */
export interface PixelImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly widthPx: number;
  readonly heightPx: number;
  /** 3 for RGB, 4 for RGBA. */
  readonly channels: 3 | 4;
}

/** A picture and the part of the camera's frame that it shows. */
export interface FrameView {
  readonly image: PixelImage;
  /** Camera pixels of the full frame. */
  readonly crop: RectPx;
}

/** Values a tensor's pixels are spread over, and what lies outside the picture. */
export interface TensorFormat {
  readonly sizePx: number;
  /** Value of byte 0 and of byte 255. */
  readonly low: number;
  readonly high: number;
  /** `edge` repeats the border pixel, `black` is byte 0. */
  readonly outside: 'edge' | 'black';
}

/** Image coordinates of a tensor's pixel: x = ax·column + bx·row + cx, y likewise; pixel centres are whole. */
export interface PixelMap {
  readonly ax: number;
  readonly bx: number;
  readonly cx: number;
  readonly ay: number;
  readonly by: number;
  readonly cy: number;
}

/**
 * Where the pixels of a tensor lie in an image that shows `crop`; `roi` is the tensor's region, both
 * in camera pixels of the full frame.
 */
export function pixelMap(
  image: { readonly widthPx: number; readonly heightPx: number },
  crop: RectPx,
  roi: FaceRoi,
  sizePx: number,
): PixelMap {
  const scaleX = image.widthPx / crop.widthPx;
  const scaleY = image.heightPx / crop.heightPx;
  const step = roi.sizePx / sizePx;
  const cos = Math.cos(roi.rotationRad) * step;
  const sin = Math.sin(roi.rotationRad) * step;
  const middle = (1 - sizePx) / 2;
  return {
    ax: cos * scaleX,
    bx: -sin * scaleX,
    cx: (roi.centerXPx - crop.xPx + (cos - sin) * middle) * scaleX - 0.5,
    ay: sin * scaleY,
    by: cos * scaleY,
    cy: (roi.centerYPx - crop.yPx + (sin + cos) * middle) * scaleY - 0.5,
  };
}

/** True when bilinear sampling over the whole tensor touches no pixel beyond the picture. */
export function liesInside(map: PixelMap, image: { widthPx: number; heightPx: number }, sizePx: number): boolean {
  const last = sizePx - 1;
  return [0, last].every((row) =>
    [0, last].every((column) => {
      const x = map.ax * column + map.bx * row + map.cx;
      const y = map.ay * column + map.by * row + map.cy;
      return x >= 0 && y >= 0 && x < image.widthPx - 1 && y < image.heightPx - 1;
    }),
  );
}

function sampleInside(image: PixelImage, map: PixelMap, format: TensorFormat, tensor: Float32Array): void {
  const { data, widthPx, channels } = image;
  const { sizePx, low } = format;
  const scale = (format.high - low) / 255;
  const plane = sizePx * sizePx;
  const pitch = widthPx * channels;
  let to = 0;
  for (let row = 0; row < sizePx; row++) {
    let x = map.bx * row + map.cx;
    let y = map.by * row + map.cy;
    for (let column = 0; column < sizePx; column++) {
      const left = x | 0;
      const top = y | 0;
      const right = x - left;
      const lower = (y - top) * scale;
      const upper = scale - lower;
      const w11 = lower * right;
      const w10 = lower - w11;
      const w01 = upper * right;
      const w00 = upper - w01;
      const a = top * pitch + left * channels;
      const b = a + channels;
      const c = a + pitch;
      const d = c + channels;
      tensor[to] =
        low +
        w00 * (data[a] as number) +
        w01 * (data[b] as number) +
        w10 * (data[c] as number) +
        w11 * (data[d] as number);
      tensor[to + plane] =
        low +
        w00 * (data[a + 1] as number) +
        w01 * (data[b + 1] as number) +
        w10 * (data[c + 1] as number) +
        w11 * (data[d + 1] as number);
      tensor[to + plane + plane] =
        low +
        w00 * (data[a + 2] as number) +
        w01 * (data[b + 2] as number) +
        w10 * (data[c + 2] as number) +
        w11 * (data[d + 2] as number);
      to++;
      x += map.ax;
      y += map.ay;
    }
  }
}

function sampleAnywhere(image: PixelImage, map: PixelMap, format: TensorFormat, tensor: Float32Array): void {
  const { data, widthPx, heightPx, channels } = image;
  const { sizePx, low } = format;
  const scale = (format.high - low) / 255;
  const plane = sizePx * sizePx;
  const black = format.outside === 'black';
  for (let row = 0; row < sizePx; row++) {
    for (let column = 0; column < sizePx; column++) {
      const to = row * sizePx + column;
      const x = map.ax * column + map.bx * row + map.cx;
      const y = map.ay * column + map.by * row + map.cy;
      if (black && (x < -0.5 || y < -0.5 || x > widthPx - 0.5 || y > heightPx - 0.5)) {
        tensor[to] = low;
        tensor[to + plane] = low;
        tensor[to + 2 * plane] = low;
        continue;
      }
      const insideX = Math.min(widthPx - 1, Math.max(0, x));
      const insideY = Math.min(heightPx - 1, Math.max(0, y));
      const left = insideX | 0;
      const top = insideY | 0;
      const right = insideX - left;
      const lower = insideY - top;
      const nextX = left + 1 < widthPx ? channels : 0;
      const a = (top * widthPx + left) * channels;
      const c = top + 1 < heightPx ? a + widthPx * channels : a;
      for (let channel = 0; channel < 3; channel++) {
        const upperValue = (1 - right) * (data[a + channel] as number) + right * (data[a + nextX + channel] as number);
        const lowerValue = (1 - right) * (data[c + channel] as number) + right * (data[c + nextX + channel] as number);
        tensor[to + channel * plane] = low + scale * ((1 - lower) * upperValue + lower * lowerValue);
      }
    }
  }
}

/**
 * Cuts a square, rotated region (camera pixels of the full frame) out of a picture into `tensor`,
 * three planes of sizePx × sizePx: bilinear at pixel centres, as MediaPipe's ImageToTensor does.
 * `tensor` must hold 3·sizePx² values.
 */
export function sampleRegion(view: FrameView, roi: FaceRoi, format: TensorFormat, tensor: Float32Array): void {
  const map = pixelMap(view.image, view.crop, roi, format.sizePx);
  if (liesInside(map, view.image, format.sizePx)) sampleInside(view.image, map, format, tensor);
  else sampleAnywhere(view.image, map, format, tensor);
}

/** What can be said of a picture without looking for anything in it. Both 0–1. */
export interface ImageQuality {
  /** Mean luma. */
  readonly brightness: number;
  /** Sharpness: 0 for a blurred or featureless picture. */
  readonly sharpness: number;
}

/** Rec. 601 luma, the luma of JPEG. */
const LUMA = { red: 0.299, green: 0.587, blue: 0.114 };

/**
 * Variance of the Laplacian, in squared byte levels, at which sharpness is 0.5. The measure is that
 * of Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (ICPR 2000); pictures
 * below about 100 are commonly called blurred.
 */
const HALF_SHARP_VARIANCE = 100;

/** Which pixels of a tensor show the picture, and not what was put around it. */
export type Shown = (column: number, row: number) => boolean;

/** The pixels whose neighbours too lie in the picture; null when all do. */
export function shownOf(
  map: PixelMap,
  image: { readonly widthPx: number; readonly heightPx: number },
  sizePx: number,
): Shown | null {
  if (liesInside(map, image, sizePx)) return null;
  const reachX = Math.abs(map.ax) + Math.abs(map.bx) - 0.5;
  const reachY = Math.abs(map.ay) + Math.abs(map.by) - 0.5;
  return (column, row) => {
    const x = map.ax * column + map.bx * row + map.cx;
    const y = map.ay * column + map.by * row + map.cy;
    return x >= reachX && y >= reachY && x <= image.widthPx - 1 - reachX && y <= image.heightPx - 1 - reachY;
  };
}

/**
 * Brightness and sharpness of a tensor made by sampleRegion, on every second pixel of every second row
 * that is `shown` (null: all of them). The Laplacian is taken of green alone, which carries most of the luma.
 */
export function measureQuality(tensor: Float32Array, format: TensorFormat, shown: Shown | null = null): ImageQuality {
  const { sizePx } = format;
  const plane = sizePx * sizePx;
  let count = 0;
  let red = 0;
  let green = 0;
  let blue = 0;
  let sum = 0;
  let squares = 0;
  for (let row = 1; row < sizePx - 1; row += 2) {
    for (let column = 1; column < sizePx - 1; column += 2) {
      if (shown !== null && !shown(column, row)) continue;
      const at = row * sizePx + column;
      const centre = tensor[plane + at] as number;
      const laplacian =
        (tensor[plane + at - 1] as number) +
        (tensor[plane + at + 1] as number) +
        (tensor[plane + at - sizePx] as number) +
        (tensor[plane + at + sizePx] as number) -
        4 * centre;
      count++;
      red += tensor[at] as number;
      green += centre;
      blue += tensor[plane + plane + at] as number;
      sum += laplacian;
      squares += laplacian * laplacian;
    }
  }
  if (count === 0) return { brightness: 0, sharpness: 0 };
  const luma = (LUMA.red * red + LUMA.green * green + LUMA.blue * blue) / count;
  return qualityOf(luma, squares / count - (sum / count) ** 2, format);
}

/** Brightness and sharpness from mean luma and variance of the Laplacian, both in the tensor's units. */
export function qualityOf(luma: number, laplacianVariance: number, format: TensorFormat): ImageQuality {
  const range = format.high - format.low;
  const variance = Math.max(0, laplacianVariance) * (255 / range) ** 2;
  return {
    brightness: Math.min(1, Math.max(0, (luma - format.low) / range)),
    sharpness: variance / (variance + HALF_SHARP_VARIANCE),
  };
}

/** A region cut out of a picture, and how it looks. `planes` may be overwritten by the next cut. */
export interface Sample {
  readonly planes: Float32Array;
  readonly quality: ImageQuality;
}

/** A picture that an engine analyses, and the part of the camera's frame that it shows. */
export interface Picture {
  /** Camera pixels of the full frame. */
  readonly crop: RectPx;
  /** Cuts a region (camera pixels) out: see sampleRegion and measureQuality. */
  sample(roi: FaceRoi, format: TensorFormat): Sample;
  /** All of its pixels; may be overwritten by the next picture. */
  pixels(): PixelImage;
}

/** Pictures of plain pixels, sampled in plain JavaScript. The tensors are kept from picture to picture. */
export function createPlainPictures(): (view: FrameView) => Picture {
  const tensors = new Map<number, Float32Array>();
  return (view) => ({
    crop: view.crop,
    pixels: () => view.image,
    sample: (roi, format) => {
      const length = 3 * format.sizePx * format.sizePx;
      const planes = tensors.get(length) ?? new Float32Array(length);
      tensors.set(length, planes);
      const map = pixelMap(view.image, view.crop, roi, format.sizePx);
      sampleRegion(view, roi, format, planes);
      return { planes, quality: measureQuality(planes, format, shownOf(map, view.image, format.sizePx)) };
    },
  });
}
