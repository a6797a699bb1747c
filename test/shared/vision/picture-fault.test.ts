import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../harness/random.ts';
import type { FrameSize } from '../../../shared/geometry.ts';
import { createPlainPictures } from '../../../shared/vision/image.ts';
import { DETECTOR_FORMAT } from '../../../shared/vision/locate.ts';
import { pictureFaultOf } from '../../../shared/vision/picture-fault.ts';
import { roiOfCrop } from '../../../shared/vision/roi.ts';

type Luma = (x: number, y: number) => number;

const SHAPES: readonly FrameSize[] = [
  { widthPx: 640, heightPx: 480 },
  { widthPx: 640, heightPx: 360 },
  { widthPx: 192, heightPx: 192 },
  { widthPx: 240, heightPx: 320 },
];

/** The fault of a grey picture of that size; `luma` is 0–255 at places of 0–1, noise a standard deviation. */
function faultOf(luma: Luma, size: FrameSize, noise = 0): string | null {
  const random = seededRandom(7);
  const data = new Uint8ClampedArray(size.widthPx * size.heightPx * 3);
  for (let at = 0; at < data.length; at += 3) {
    const pixel = at / 3;
    const value = luma((pixel % size.widthPx) / size.widthPx, Math.floor(pixel / size.widthPx) / size.heightPx);
    data.fill(value + noise * 2 * (random() + random() + random() - 1.5), at, at + 3);
  }
  const crop = { xPx: 0, yPx: 0, ...size };
  const { planes } = createPlainPictures()({ image: { data, ...size, channels: 3 }, crop }).sample(
    roiOfCrop(crop),
    DETECTOR_FORMAT,
  );
  return pictureFaultOf(planes, DETECTOR_FORMAT, crop);
}

function faults(luma: Luma, noise = 0): (string | null)[] {
  return [...new Set(SHAPES.map((size) => faultOf(luma, size, noise)))];
}

/** A wall, a door, a lamp and a table. */
const room: Luma = (x, y) => {
  if (Math.hypot(x - 0.15, y - 0.3) < 0.08) return 240;
  if (y > 0.8) return 70;
  return x > 0.55 && x < 0.8 && y > 0.2 ? 175 : 130;
};
/** The same so far out of focus that no edge is left. */
const blurred: Luma = (x, y) => 130 + 45 * Math.sin(5 * x + 1) * Math.cos(4 * y) + 20 * Math.sin(7 * y);

describe('a picture without a face', () => {
  it('is no fault of the camera when it shows a room, at any shape, with and without noise', () => {
    expect(faults(room)).toEqual([null]);
    expect(faults(room, 5)).toEqual([null]);
    expect(faults((x, y) => 0.4 * room(x, y), 3)).toEqual([null]);
  });

  it('is a covered camera when it is flat: tape, a finger with light behind it, one colour', () => {
    expect(faults(() => 90)).toEqual(['camera_covered']);
    expect(faults(() => 90, 8)).toEqual(['camera_covered']);
    expect(faults((x, y) => 150 * Math.max(0, 1 - Math.hypot(x - 0.6, y - 0.2)), 4)).toEqual(['camera_covered']);
  });

  it('is a covered camera when all of it is blurred', () => {
    expect(faults(blurred)).toEqual(['camera_covered']);
    expect(faults(blurred, 3)).toEqual(['camera_covered']);
  });

  it('is too dark when nothing in it is lit', () => {
    expect(faults(() => 0)).toEqual(['too_dark']);
    expect(faults(() => 12, 10)).toEqual(['too_dark']);
    expect(faults((x, y) => 0.08 * room(x, y), 2)).toEqual(['too_dark']);
  });

  it('is overexposed when nearly all of it is burnt out', () => {
    expect(faults(() => 255)).toEqual(['overexposed']);
    expect(faults((x, y) => (room(x, y) < 100 && x < 0.5 ? 180 : 255))).toEqual(['overexposed']);
  });

  it('says nothing of the camera when it is a few pixels', () => {
    expect(faultOf(() => 0, { widthPx: 640, heightPx: 40 })).toBeNull();
  });
});
