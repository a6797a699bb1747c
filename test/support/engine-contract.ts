import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIP_FRAMES, CLIP_SIZE, clipFrame, emptyRoom } from '../../harness/clip.ts';
import type { FaceEngine } from '../../inference/engine/engine.ts';
import type { FaceRoi, RectPx } from '../../shared/geometry.ts';
import type { FrameView, PixelImage } from '../../shared/vision/image.ts';
import type { LocatedFace, Location } from '../../shared/vision/locate.ts';
import { roiFromLandmarks } from '../../shared/vision/roi.ts';

/** What the contract asks of an engine, wherever it runs. */
type Engine = Pick<FaceEngine, 'locate' | 'close'>;

const IMAGE_LEFT_IRIS = 468;
const IMAGE_RIGHT_IRIS = 473;

async function pixels(image: Sharp): Promise<PixelImage> {
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, widthPx: info.width, heightPx: info.height, channels: 3 };
}

function whole(image: PixelImage): FrameView {
  return { image, crop: { xPx: 0, yPx: 0, widthPx: image.widthPx, heightPx: image.heightPx } };
}

async function frameView(index: number): Promise<FrameView> {
  return whole(await pixels(sharp(clipFrame(index))));
}

function faceOf(location: Location): LocatedFace {
  if (location.face === null) throw new Error('no face was found');
  return location.face;
}

function point(face: LocatedFace, index: number): [number, number] {
  return [face.landmarks[index * 3] ?? Number.NaN, face.landmarks[index * 3 + 1] ?? Number.NaN];
}

function interOcularPx(face: LocatedFace): number {
  const [leftX, leftY] = point(face, IMAGE_LEFT_IRIS);
  const [rightX, rightY] = point(face, IMAGE_RIGHT_IRIS);
  return Math.hypot(rightX - leftX, rightY - leftY);
}

/** Distance of both irises from where they are expected, over the distance between the eyes. */
function irisError(face: LocatedFace, expected: (index: number) => readonly [number, number]): number {
  const distance = (index: number): number => {
    const [x, y] = point(face, index);
    const [expectedX, expectedY] = expected(index);
    return Math.hypot(x - expectedX, y - expectedY);
  };
  return Math.max(distance(IMAGE_LEFT_IRIS), distance(IMAGE_RIGHT_IRIS)) / interOcularPx(face);
}

/** What every engine must do, on real pictures of a webcam. */
export function describeEngine(name: string, open: () => Promise<Engine>): void {
  describe(`engine ${name}`, () => {
    let engine: Engine;

    beforeAll(async () => {
      engine = await open();
    });

    afterAll(async () => {
      await engine?.close();
    });

    it('finds the face in every twentieth frame of the clip, eyes on their sides', async () => {
      for (let index = 0; index < CLIP_FRAMES.length; index += 20) {
        const location = await engine.locate(await frameView(index), null);
        const face = faceOf(location);
        expect(location).toMatchObject({ faceCount: 1, detectorRan: true });
        expect(face.score).toBeGreaterThan(0.9);
        expect(face.landmarks).toHaveLength(478 * 3);
        expect(point(face, IMAGE_LEFT_IRIS)[0]).toBeLessThan(point(face, IMAGE_RIGHT_IRIS)[0]);
        const [x, y] = point(face, 1);
        expect(x).toBeGreaterThan(0);
        expect(x).toBeLessThan(CLIP_SIZE.widthPx);
        expect(y).toBeGreaterThan(0);
        expect(y).toBeLessThan(CLIP_SIZE.heightPx);
      }
    });

    it('follows a hint without the detector, and lands on the same irises', async () => {
      const view = await frameView(40);
      const searched = faceOf(await engine.locate(view, null));
      const followed = await engine.locate(view, roiFromLandmarks(searched.landmarks));
      expect(followed.detectorRan).toBe(false);
      expect(irisError(faceOf(followed), (index) => point(searched, index))).toBeLessThan(0.05);
    });

    it('searches when the hint leads nowhere', async () => {
      const view = await frameView(40);
      for (const hint of [
        { centerXPx: 30, centerYPx: 40, sizePx: 60, rotationRad: 0 },
        { centerXPx: 5_000, centerYPx: 40, sizePx: 60, rotationRad: 0 },
        { centerXPx: 200, centerYPx: 150, sizePx: 0, rotationRad: 0 },
      ] satisfies FaceRoi[]) {
        const location = await engine.locate(view, hint);
        expect(location.detectorRan).toBe(true);
        expect(faceOf(location).score).toBeGreaterThan(0.9);
      }
    });

    it('finds no face in an empty room, with or without a hint', async () => {
      const view = whole(await pixels(sharp(await emptyRoom())));
      const hint = { centerXPx: 200, centerYPx: 150, sizePx: 150, rotationRad: 0 };
      expect(await engine.locate(view, null)).toMatchObject({ face: null, faceCount: 0, detectorRan: true });
      expect(await engine.locate(view, hint)).toMatchObject({ face: null, faceCount: 0, detectorRan: true });
    });

    it('gives camera pixels, whatever part of the frame was sent and in whatever size', async () => {
      const full = faceOf(await engine.locate(await frameView(40), null));
      const { centerXPx, centerYPx, sizePx } = roiFromLandmarks(full.landmarks);
      const side = Math.round(sizePx * 1.1);
      const crop: RectPx = {
        xPx: Math.round(centerXPx - side / 2),
        yPx: Math.round(centerYPx - side / 2),
        widthPx: side,
        heightPx: side,
      };
      const image = await pixels(
        sharp(clipFrame(40)).extract({ left: crop.xPx, top: crop.yPx, width: side, height: side }).resize(192, 192),
      );
      const cropped = await engine.locate({ image, crop }, { centerXPx, centerYPx, sizePx, rotationRad: 0 });
      expect(cropped.detectorRan).toBe(false);
      expect(irisError(faceOf(cropped), (index) => point(full, index))).toBeLessThan(0.05);
    });

    it.each([-30, 30])('finds a face turned by %i degrees', async (degrees) => {
      const upright = faceOf(await engine.locate(await frameView(0), null));
      const image = await pixels(sharp(clipFrame(0)).rotate(degrees, { background: '#404040' }));
      const turned = await engine.locate(whole(image), null);
      const angle = (degrees * Math.PI) / 180;
      const expected = (index: number): [number, number] => {
        const [x, y] = point(upright, index);
        const [u, v] = [x - CLIP_SIZE.widthPx / 2, y - CLIP_SIZE.heightPx / 2];
        return [
          image.widthPx / 2 + Math.cos(angle) * u - Math.sin(angle) * v,
          image.heightPx / 2 + Math.sin(angle) * u + Math.cos(angle) * v,
        ];
      };
      expect(irisError(faceOf(turned), expected)).toBeLessThan(0.1);
    });

    it('finds a face far away: 30 px between the eyes in a 640×480 frame', async () => {
      const near = faceOf(await engine.locate(await frameView(0), null));
      const scale = 30 / interOcularPx(near);
      const width = Math.round(CLIP_SIZE.widthPx * scale);
      const height = Math.round(CLIP_SIZE.heightPx * scale);
      const [left, top] = [180, 140];
      const image = await pixels(
        sharp(clipFrame(0))
          .resize(width, height)
          .extend({ left, top, right: 640 - left - width, bottom: 480 - top - height, background: '#505050' }),
      );
      const face = faceOf(await engine.locate(whole(image), null));
      const expected = (index: number): [number, number] => {
        const [x, y] = point(near, index);
        return [left + x * scale, top + y * scale];
      };
      expect(irisError(face, expected)).toBeLessThan(0.1);
    });

    it('finds a face at the edge of the picture, a part of it outside', async () => {
      const full = faceOf(await engine.locate(await frameView(0), null));
      const { centerXPx, sizePx } = roiFromLandmarks(full.landmarks);
      // The cut leaves about nine tenths of the face's own width.
      const cutPx = Math.round(centerXPx - sizePx / 3 + sizePx / 15);
      const image = await pixels(
        sharp(clipFrame(0)).extract({
          left: cutPx,
          top: 0,
          width: CLIP_SIZE.widthPx - cutPx,
          height: CLIP_SIZE.heightPx,
        }),
      );
      const face = faceOf(await engine.locate(whole(image), null));
      const expected = (index: number): [number, number] => {
        const [x, y] = point(full, index);
        return [x - cutPx, y];
      };
      expect(irisError(face, expected)).toBeLessThan(0.15);
    });

    it('takes the larger of two faces, or the one nearest to the hint, and counts both', async () => {
      const { widthPx: width, heightPx: height } = CLIP_SIZE;
      // The clip's middle holds the face; four fifths of it stand beside the whole frame.
      const [smallWidth, smallHeight] = [(width / 2) * 0.8, height * 0.8];
      const small = await sharp(clipFrame(0))
        .extract({ left: width / 4, top: 0, width: width / 2, height })
        .resize(smallWidth, smallHeight)
        .toBuffer();
      const image = await pixels(
        sharp({ create: { width: width + smallWidth, height, channels: 3, background: '#303030' } }).composite([
          { input: Buffer.from(clipFrame(0)), left: 0, top: 0 },
          { input: small, left: width, top: 0 },
        ]),
      );
      const large = await engine.locate(whole(image), null);
      expect(large.faceCount).toBe(2);
      expect(point(faceOf(large), 1)[0]).toBeLessThan(width);
      // A hint beside the small face, where there is none.
      const hint = { centerXPx: width + smallWidth, centerYPx: height, sizePx: 30, rotationRad: 0 };
      const near = await engine.locate(whole(image), hint);
      expect(near).toMatchObject({ faceCount: 2, detectorRan: true });
      expect(point(faceOf(near), 1)[0]).toBeGreaterThan(width);
    });

    it('gives the same numbers bit for bit, whatever was asked in between', async () => {
      const view = await frameView(80);
      const first = await engine.locate(view, null);
      const hint = roiFromLandmarks(faceOf(first).landmarks);
      const second = await engine.locate(view, hint);
      for (const index of [0, 120, 199]) await engine.locate(await frameView(index), null);
      await engine.locate(whole(await pixels(sharp(await emptyRoom()))), hint);
      expect(await engine.locate(view, hint)).toEqual(second);
      expect(await engine.locate(view, null)).toEqual(first);
    });
  });
}

/** Two engines see the same faces, and the same irises within 2 % of the distance between the eyes. */
export function describeAgreement(
  name: string,
  open: () => Promise<Engine>,
  openReference: () => Promise<Engine>,
): void {
  describe(`engine ${name} agrees with onnx`, () => {
    let engine: Engine;
    let reference: Engine;

    beforeAll(async () => {
      [engine, reference] = [await open(), await openReference()];
    });

    afterAll(async () => {
      await engine?.close();
      await reference?.close();
    });

    it('on every fortieth frame of the clip, searching and following', async () => {
      let hint: FaceRoi | null = null;
      for (let index = 0; index < CLIP_FRAMES.length; index += 40) {
        const view = await frameView(index);
        for (const roi of hint === null ? [null] : [null, hint]) {
          const [seen, expected] = [await engine.locate(view, roi), await reference.locate(view, roi)];
          expect([seen.faceCount, seen.detectorRan]).toEqual([expected.faceCount, expected.detectorRan]);
          expect(
            irisError(faceOf(seen), (at) => point(faceOf(expected), at)),
            `frame ${index}`,
          ).toBeLessThan(0.02);
          expect(seen.quality.brightness).toBeCloseTo(expected.quality.brightness, 2);
          hint = roiFromLandmarks(faceOf(expected).landmarks);
        }
      }
    });
  });
}
