import { describe, expect, it } from 'vitest';
import {
  createPlainPictures,
  type FrameView,
  measureQuality,
  type PixelImage,
  sampleRegion,
  type TensorFormat,
} from '../../../shared/vision/image.ts';

const UNIT: TensorFormat = { sizePx: 8, low: 0, high: 255, outside: 'edge' };

/** Red grows to the right, green downwards, blue is constant: a sample tells where it was taken. */
function ramp(widthPx: number, heightPx: number, channels: 3 | 4 = 3): PixelImage {
  const data = new Uint8Array(widthPx * heightPx * channels).fill(255);
  for (let y = 0; y < heightPx; y++) {
    for (let x = 0; x < widthPx; x++) {
      data.set([x, y, 7], (y * widthPx + x) * channels);
    }
  }
  return { data, widthPx, heightPx, channels };
}

function wholeView(image: PixelImage): FrameView {
  return { image, crop: { xPx: 0, yPx: 0, widthPx: image.widthPx, heightPx: image.heightPx } };
}

function sample(view: FrameView, roi: Parameters<typeof sampleRegion>[1], format = UNIT) {
  const tensor = new Float32Array(3 * format.sizePx * format.sizePx);
  sampleRegion(view, roi, format, tensor);
  const plane = format.sizePx * format.sizePx;
  return (column: number, row: number): [number, number, number] => {
    const at = row * format.sizePx + column;
    return [tensor[at] ?? Number.NaN, tensor[at + plane] ?? Number.NaN, tensor[at + 2 * plane] ?? Number.NaN];
  };
}

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, index) => {
    expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 3);
  });
}

describe('sampleRegion', () => {
  it('copies pixels when the region lies on the grid', () => {
    const at = sample(wholeView(ramp(40, 30)), { centerXPx: 14, centerYPx: 9, sizePx: 8, rotationRad: 0 });
    expectNear(at(0, 0), [10, 5, 7]);
    expectNear(at(7, 0), [17, 5, 7]);
    expectNear(at(3, 6), [13, 11, 7]);
  });

  it('interpolates between pixel centres', () => {
    const at = sample(wholeView(ramp(40, 30)), { centerXPx: 14.25, centerYPx: 9.5, sizePx: 8, rotationRad: 0 });
    expectNear(at(0, 0), [10.25, 5.5, 7]);
  });

  it('takes pixel centres of the larger grid when the region is shrunk', () => {
    const at = sample(wholeView(ramp(40, 30)), { centerXPx: 20, centerYPx: 15, sizePx: 16, rotationRad: 0 });
    // Tensor pixel 0 covers image pixels 12 and 13; its centre is 13 in edge coordinates, 12.5 in pixel centres.
    expectNear(at(0, 0), [12.5, 7.5, 7]);
    expectNear(at(7, 7), [26.5, 21.5, 7]);
  });

  it('turns clockwise for a positive rotation: the tensor’s x axis runs down the picture at 90°', () => {
    const at = sample(wholeView(ramp(40, 30)), { centerXPx: 20, centerYPx: 15, sizePx: 8, rotationRad: Math.PI / 2 });
    const [startX, startY] = at(0, 0);
    const [endX, endY] = at(7, 0);
    expect(startX).toBeCloseTo(23, 3);
    expect(endX).toBeCloseTo(23, 3);
    expect(startY).toBeCloseTo(11, 3);
    expect(endY).toBeCloseTo(18, 3);
  });

  it('maps camera pixels through the crop, whatever size the picture was sent in', () => {
    const image = ramp(20, 20);
    // The 20×20 picture shows 80×80 camera pixels from (100, 50): one image pixel is four of them.
    const view = { image, crop: { xPx: 100, yPx: 50, widthPx: 80, heightPx: 80 } };
    const at = sample(view, { centerXPx: 140, centerYPx: 90, sizePx: 32, rotationRad: 0 });
    expectNear(at(0, 0), [6, 6, 7]);
    expectNear(at(7, 7), [13, 13, 7]);
  });

  it('reads RGBA pictures as it reads RGB', () => {
    const roi = { centerXPx: 14.3, centerYPx: 9.8, sizePx: 11, rotationRad: 0.4 };
    expectNear(sample(wholeView(ramp(40, 30, 4)), roi)(5, 2), sample(wholeView(ramp(40, 30)), roi)(5, 2));
  });

  it('repeats the border pixel outside the picture, or gives black', () => {
    const view = wholeView(ramp(40, 30));
    const roi = { centerXPx: 0, centerYPx: 0, sizePx: 8, rotationRad: 0 };
    expectNear(sample(view, roi)(0, 7), [0, 3, 7]);
    const black = sample(view, roi, { ...UNIT, low: -1, high: 1, outside: 'black' });
    expectNear(black(0, 7), [-1, -1, -1]);
    expectNear(black(7, 7), [(3 / 255) * 2 - 1, (3 / 255) * 2 - 1, (7 / 255) * 2 - 1]);
  });

  it('gives the same values by the fast way inside as by the careful way that a border needs', () => {
    const image = ramp(60, 60);
    const roi = { centerXPx: 30, centerYPx: 30, sizePx: 20, rotationRad: -0.7 };
    const inside = sample(wholeView(image), roi);
    // The same pixels with the crop's edge running through the region's corner.
    const cut = { centerXPx: 30, centerYPx: 30, sizePx: 58, rotationRad: -0.7 };
    const careful = sample(wholeView(image), cut);
    const x = (column: number, size: number): number => ((column + 0.5) / 8 - 0.5) * size;
    const expected = (column: number, row: number, size: number): [number, number, number] => {
      const [u, v] = [x(column, size), x(row, size)];
      const [cos, sin] = [Math.cos(-0.7), Math.sin(-0.7)];
      return [30 + cos * u - sin * v - 0.5, 30 + sin * u + cos * v - 0.5, 7];
    };
    expectNear(inside(2, 5), expected(2, 5, 20));
    expectNear(careful(3, 4), expected(3, 4, 58));
  });
});

describe('measureQuality', () => {
  const format: TensorFormat = { sizePx: 64, low: -1, high: 1, outside: 'edge' };
  const tensorOf = (pixel: (x: number, y: number) => number): Float32Array => {
    const plane = format.sizePx * format.sizePx;
    const tensor = new Float32Array(3 * plane);
    for (let at = 0; at < plane; at++) {
      const value = (pixel(at % format.sizePx, Math.floor(at / format.sizePx)) / 255) * 2 - 1;
      tensor[at] = value;
      tensor[at + plane] = value;
      tensor[at + 2 * plane] = value;
    }
    return tensor;
  };

  it('calls black 0, white 1 and mid grey one half bright', () => {
    expect(
      measureQuality(
        tensorOf(() => 0),
        format,
      ).brightness,
    ).toBeCloseTo(0, 5);
    expect(
      measureQuality(
        tensorOf(() => 255),
        format,
      ).brightness,
    ).toBeCloseTo(1, 5);
    expect(
      measureQuality(
        tensorOf(() => 127.5),
        format,
      ).brightness,
    ).toBeCloseTo(0.5, 5);
  });

  it('weighs the colours as the eye does', () => {
    const plane = format.sizePx * format.sizePx;
    const green = tensorOf(() => 0);
    green.fill(1, plane, 2 * plane);
    expect(measureQuality(green, format).brightness).toBeCloseTo(0.587, 3);
  });

  it('finds nothing sharp in a flat picture or a slow gradient', () => {
    expect(
      measureQuality(
        tensorOf(() => 90),
        format,
      ).sharpness,
    ).toBeCloseTo(0, 6);
    expect(
      measureQuality(
        tensorOf((x) => x * 2),
        format,
      ).sharpness,
    ).toBeLessThan(0.01);
  });

  it('measures the picture alone, whatever its shape', () => {
    const qualityOf = (widthPx: number, heightPx: number) => {
      const data = new Uint8Array(widthPx * heightPx * 3).fill(200);
      const crop = { xPx: 0, yPx: 0, widthPx, heightPx };
      const picture = createPlainPictures()({ image: { data, widthPx, heightPx, channels: 3 }, crop });
      const side = Math.max(widthPx, heightPx);
      const around = { centerXPx: widthPx / 2, centerYPx: heightPx / 2, sizePx: side, rotationRad: 0 };
      return picture.sample(around, { ...format, outside: 'black' }).quality;
    };
    for (const [widthPx, heightPx] of [
      [64, 64],
      [64, 36],
      [30, 64],
    ] as const) {
      const { brightness, sharpness } = qualityOf(widthPx, heightPx);
      expect(brightness).toBeCloseTo(200 / 255, 4);
      expect(sharpness).toBeCloseTo(0, 6);
    }
  });

  it('finds an edge sharper than the same edge blurred', () => {
    const hard = measureQuality(
      tensorOf((x) => (x % 16 < 8 ? 60 : 180)),
      format,
    ).sharpness;
    const soft = measureQuality(
      tensorOf((x) => 120 + 60 * Math.sin((x * Math.PI) / 8)),
      format,
    ).sharpness;
    expect(hard).toBeGreaterThan(0.9);
    expect(soft).toBeLessThan(hard / 2);
  });
});
