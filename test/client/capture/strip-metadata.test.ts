import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { stripJpeg, stripWebp } from '../../../client/capture/strip-metadata.ts';
import { clipFrame } from '../../../harness/clip.ts';

const SEED = 20_261_128;

function picture(widthPx = 192, heightPx = 192): Sharp {
  return sharp(clipFrame(0)).resize(widthPx, heightPx, { fit: 'fill' });
}

/** In memory of its own, as a browser's encoder gives it. */
async function encoded(image: Sharp): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await image.toBuffer());
}

function pixelsOf(file: Uint8Array): Promise<Buffer> {
  return sharp(file).toColourspace('srgb').raw().toBuffer();
}

/** Bytes of a picture with an ICC profile, EXIF and XMP, and of the same without. */
async function withAndWithout(format: 'jpeg' | 'webp', widthPx?: number, heightPx?: number) {
  const encode = (image: Sharp): Sharp =>
    format === 'jpeg' ? image.jpeg({ quality: 40 }) : image.webp({ quality: 40 });
  const laden = encode(
    picture(widthPx, heightPx)
      .withIccProfile('srgb')
      .withExif({ IFD0: { Artist: 'nobody' } }),
  );
  return { laden: await encoded(laden), plain: await encoded(encode(picture(widthPx, heightPx))) };
}

describe('a picture is sent without metadata', () => {
  it.each([
    ['JPEG', 'jpeg', stripJpeg],
    ['WebP', 'webp', stripWebp],
  ] as const)('%s: the same pixels, no colour profile, no EXIF', async (_name, format, bare) => {
    const { laden, plain } = await withAndWithout(format);
    const stripped = bare(laden);
    expect(laden.byteLength).toBeGreaterThan(plain.byteLength + 400);
    expect(stripped.byteLength).toBeLessThanOrEqual(plain.byteLength);
    expect(await pixelsOf(stripped)).toEqual(await pixelsOf(plain));
    const { icc, exif, xmp } = await sharp(stripped).metadata();
    expect({ icc, exif, xmp }).toEqual({});
  });

  it('an odd number of bytes in the WebP picture keeps its padding', async () => {
    const files = await Promise.all([17, 18, 19, 21, 34, 35, 50, 51].map((side) => withAndWithout('webp', side, side)));
    for (const { laden, plain } of files) expect(stripWebp(laden)).toEqual(plain);
  });

  it('lossless WebP too', async () => {
    const laden = await encoded(picture(64, 48).withIccProfile('srgb').webp({ lossless: true }));
    const stripped = stripWebp(laden);
    expect(stripped.byteLength).toBeLessThan(laden.byteLength);
    expect(await pixelsOf(stripped)).toEqual(await pixelsOf(laden));
  });
});

describe('what it must not touch stays as it is', () => {
  it.each([
    [
      'a JPEG that says how its colours are to be read',
      async () => encoded(picture().toColourspace('cmyk').jpeg()),
      stripJpeg,
    ],
    ['a WebP with transparency', async () => encoded(picture().ensureAlpha(0.5).webp({ quality: 40 })), stripWebp],
    ['a PNG given as JPEG', async () => encoded(picture().png()), stripJpeg],
    ['a PNG given as WebP', async () => encoded(picture().png()), stripWebp],
  ] as const)('%s', async (_what, make, bare) => {
    const file = await make();
    const before = await pixelsOf(file);
    expect(await pixelsOf(bare(file))).toEqual(before);
    expect((await sharp(bare(file)).metadata()).hasAlpha).toBe((await sharp(file).metadata()).hasAlpha);
  });

  it('files cut off anywhere, or of noise, come back without an error', async () => {
    const files = (await Promise.all([withAndWithout('jpeg'), withAndWithout('webp')])).map(({ laden }) => laden);
    for (const bare of [stripJpeg, stripWebp]) {
      for (const file of files) {
        for (let length = 0; length < 1_000; length++) {
          expect(bare(file.slice(0, length)).byteLength).toBeLessThanOrEqual(length);
        }
      }
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
          const file = new Uint8Array(noise);
          expect(bare(file).byteLength).toBeLessThanOrEqual(file.byteLength);
        }),
        { seed: SEED },
      );
    }
  });
});
