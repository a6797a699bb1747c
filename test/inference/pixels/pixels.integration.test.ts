import fc from 'fast-check';
import sharp, { type JpegOptions, type Sharp, type WebpOptions } from 'sharp';
import { describe, expect, it } from 'vitest';
import { clipFrame } from '../../../harness/clip.ts';
import { mutate } from '../../../harness/mutate.ts';
import { seededIntegers } from '../../../harness/random.ts';
import { guardImage } from '../../../inference/pixels/guard.ts';
import { PixelKernel } from '../../../inference/pixels/kernel.ts';
import { KERNEL_WASM_BASE64 } from '../../../inference/pixels/kernel-bytes.ts';
import {
  createKernelReader,
  createPictureReader,
  createPlainReader,
  type PictureFile,
} from '../../../inference/pixels/reader.ts';
import { compileKernel } from '../../../scripts/build-kernel.ts';
import type { RectPx } from '../../../shared/geometry.ts';
import { DETECTOR_FORMAT, MESH_FORMAT } from '../../../shared/vision/locate.ts';

const SEED = 20_261_122;

async function resized(widthPx: number, heightPx: number, options: JpegOptions = {}): Promise<Uint8Array> {
  return sharp(clipFrame(3)).resize(widthPx, heightPx, { fit: 'fill' }).jpeg(options).toBuffer();
}

function fileOf(bytes: Uint8Array, crop?: RectPx): PictureFile {
  const verdict = guardImage(bytes);
  if (!verdict.ok) throw new Error(verdict.reason);
  const { format, widthPx, heightPx } = verdict;
  return { bytes, format, widthPx, heightPx, crop: crop ?? { xPx: 0, yPx: 0, widthPx, heightPx } };
}

/** Marker, offset and length of the segments of a JPEG file, the scan's header last. */
function* segmentsOf(bytes: Buffer): Generator<readonly [marker: number, at: number, length: number]> {
  for (let at = 2; ; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes.readUInt8(at + 1);
    yield [marker, at, 2 + bytes.readUInt16BE(at + 2)];
    if (marker === 0xda) return;
  }
}

function withoutSegments(file: Uint8Array, unwanted: number): Uint8Array {
  const bytes = Buffer.from(file);
  const parts = [bytes.subarray(0, 2)];
  let end = 2;
  for (const [marker, at, length] of segmentsOf(bytes)) {
    if (marker !== unwanted) parts.push(bytes.subarray(at, at + length));
    end = at + length;
  }
  return Buffer.concat([...parts, bytes.subarray(end)]);
}

/** A JPEG whose scan header says that it ends with that coefficient. */
function withSpectralEnd(file: Uint8Array, coefficient: number): Uint8Array {
  const bytes = Buffer.from(file);
  for (const [marker, at, length] of segmentsOf(bytes)) {
    if (marker === 0xda) bytes.writeUInt8(coefficient, at + length - 2);
  }
  return bytes;
}

/** Libvips' pixels: libjpeg-turbo with its exact transform. */
async function reference(bytes: Uint8Array): Promise<Uint8Array> {
  return sharp(bytes, { failOn: 'error' }).toColourspace('srgb').ensureAlpha().raw().toBuffer();
}

/** The reader's pixels, copied. */
async function kernelPixels(bytes: Uint8Array): Promise<Uint8Array> {
  const picture = await createPictureReader()(fileOf(bytes), null);
  return Uint8Array.from(picture.pixels().data);
}

describe('the kernel is what its sources say', () => {
  it('compiles to the bytes in kernel-bytes.ts', async () => {
    expect(Buffer.from(await compileKernel()).toString('base64')).toBe(KERNEL_WASM_BASE64);
  });
});

describe('JPEG pixels are those of libjpeg’s exact decoder, bit for bit', () => {
  it.each([
    ['a camera’s frame', () => Promise.resolve(clipFrame(0))],
    ['a face crop', () => resized(224, 224, { quality: 70 })],
    ['VGA', () => resized(640, 480, { quality: 70 })],
    ['the largest', () => resized(1280, 960, { quality: 60 })],
    ['sides that are no multiple of a block', () => resized(161, 97)],
    ['a width of 8n + 1', () => resized(209, 215)],
    ['the smallest the kernel takes', () => resized(16, 16)],
    ['full chroma', () => resized(223, 221, { chromaSubsampling: '4:4:4' })],
    ['high quality', () => resized(200, 150, { quality: 100 })],
    ['low quality', () => resized(200, 150, { quality: 5 })],
    ['Huffman tables of its own', () => resized(200, 150, { optimizeCoding: true })],
    ['quantisation tables of another kind', () => resized(200, 150, { quantisationTable: 3 })],
    ['grey', () => sharp(clipFrame(0)).greyscale().jpeg().toBuffer()],
    ['a kind left to libvips: tiny', () => resized(9, 7)],
    ['a phone upright', () => resized(960, 1280, { quality: 60 })],
    ['bytes after the end marker', async () => Buffer.concat([await resized(200, 150), Buffer.alloc(500)])],
    [
      'Motion JPEG, without Huffman tables',
      async () => withoutSegments(await resized(200, 150, { optimizeCoding: false }), 0xc4),
    ],
    ['a scan that says 0…0', async () => withSpectralEnd(await resized(200, 150), 0)],
  ])('%s', async (_kind, make) => {
    const bytes = await make();
    expect(Buffer.compare(await kernelPixels(bytes), await reference(bytes))).toBe(0);
  });

  it('pictures of noise, of any size and quality', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 16, max: 90 }),
        fc.integer({ min: 16, max: 90 }),
        fc.integer({ min: 1, max: 100 }),
        fc.constantFrom('4:2:0', '4:4:4'),
        fc.integer(),
        async (width, height, quality, chromaSubsampling, seed) => {
          let state = seed;
          const noise = Uint8Array.from({ length: width * height * 3 }, () => {
            state = Math.imul(state, 1_664_525) + 1_013_904_223;
            return state >>> 24;
          });
          const bytes = await sharp(noise, { raw: { width, height, channels: 3 } })
            .jpeg({ quality, chromaSubsampling })
            .toBuffer();
          expect(Buffer.compare(await kernelPixels(bytes), await reference(bytes))).toBe(0);
        },
      ),
      { numRuns: 60, seed: SEED },
    );
  });
});

async function webp(widthPx: number, heightPx: number, options: WebpOptions = {}): Promise<Uint8Array> {
  return sharp(clipFrame(3)).resize(widthPx, heightPx, { fit: 'fill' }).webp(options).toBuffer();
}

describe('WebP pixels are those of libwebp within libvips', () => {
  it.each([
    ['a face crop', () => webp(192, 192, { quality: 40 })],
    ['the largest', () => webp(1280, 960)],
    ['odd sides', () => webp(161, 97, { quality: 70 })],
    ['tiny', () => webp(9, 7)],
    ['lossless', () => webp(192, 180, { lossless: true })],
    ['grey', () => sharp(clipFrame(0)).greyscale().webp({ quality: 40 }).toBuffer()],
  ])('%s', async (_kind, make) => {
    const bytes = await make();
    expect(Buffer.compare(await kernelPixels(bytes), await reference(bytes))).toBe(0);
  });

  it('a colour profile changes nothing, as it does not in a JPEG', async () => {
    const encode = (image: Sharp) => image.webp({ quality: 40 }).toBuffer();
    const plain = await encode(sharp(clipFrame(0)));
    const laden = await encode(sharp(clipFrame(0)).withIccProfile('srgb'));
    expect(laden.length).toBeGreaterThan(plain.length);
    expect(Buffer.compare(await kernelPixels(laden), await kernelPixels(plain))).toBe(0);
  });

  it('a damaged file is refused or decoded, and the next one is read as ever', async () => {
    const below = seededIntegers(SEED);
    const originals = await Promise.all([
      webp(192, 192, { quality: 40 }),
      webp(64, 48, { lossless: true }),
      sharp(clipFrame(3)).resize(96, 96).ensureAlpha(0.5).webp({ quality: 40 }).toBuffer(),
    ]);
    const [first] = originals;
    const expected = await reference(first);
    let refused = 0;
    for (let turn = 0; turn < 600; turn++) {
      const pick = (): Uint8Array => originals[below(originals.length)] ?? first;
      const broken = mutate(pick(), pick(), below);
      if (!guardImage(broken).ok) continue;
      const outcome = await kernelPixels(broken).catch((error: unknown) => error);
      if (outcome instanceof Uint8Array) continue;
      expect(outcome).toMatchObject({ code: 'image_corrupt' });
      refused++;
    }
    expect(refused).toBeGreaterThan(20);
    expect(Buffer.compare(await kernelPixels(first), expected)).toBe(0);
  });
});

const anyRoi = fc.record({
  centerXPx: fc.double({ min: -100, max: 500, noNaN: true }),
  centerYPx: fc.double({ min: -100, max: 400, noNaN: true }),
  sizePx: fc.double({ min: 9, max: 700, noNaN: true }),
  rotationRad: fc.double({ min: -4, max: 4, noNaN: true }),
});

describe('sampling', () => {
  it.each([
    ['mesh', MESH_FORMAT],
    ['detector', DETECTOR_FORMAT],
  ])('gives what plain JavaScript gives, within 1/30 of a level, for any region: %s', async (_name, format) => {
    const file = fileOf(await resized(400, 300), { xPx: 40, yPx: 20, widthPx: 380, heightPx: 290 });
    const [plain, kernel] = [await createPlainReader()(file, null), await createPictureReader()(file, null)];
    const allowed = (format.high - format.low) / 255 / 30;
    fc.assert(
      fc.property(anyRoi, (roi) => {
        const expected = plain.sample(roi, format);
        const actual = kernel.sample(roi, format);
        let worst = 0;
        let differing = 0;
        expected.planes.forEach((value, index) => {
          const difference = Math.abs(value - (actual.planes[index] ?? Number.NaN));
          if (!(difference <= allowed)) differing++;
          worst = Math.max(worst, difference);
        });
        // On the very edge of a black border, rounding decides which side a sample is on.
        if (format.outside === 'edge') expect(worst).toBeLessThanOrEqual(allowed);
        else expect(differing).toBeLessThanOrEqual(12);
        expect(actual.quality.brightness).toBeCloseTo(expected.quality.brightness, 3);
        expect(actual.quality.sharpness).toBeCloseTo(expected.quality.sharpness, 2);
      }),
      { numRuns: 60, seed: SEED },
    );
  });

  it('sees the same through a part that was decoded for a hint as through the whole picture', async () => {
    const file = fileOf(await resized(400, 300));
    // What one reader left behind must not be seen through the other.
    const [whole, part] = [createKernelReader(new PixelKernel()), createKernelReader(new PixelKernel())];
    const white = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#fff' } })
      .jpeg()
      .toBuffer();
    await fc.assert(
      fc.asyncProperty(anyRoi, async (roi) => {
        await part(fileOf(white), null);
        const expected = (await whole(file, null)).sample(roi, MESH_FORMAT);
        const actual = (await part(file, roi)).sample(roi, MESH_FORMAT);
        expect(
          Buffer.compare(new Uint8Array(actual.planes.slice().buffer), new Uint8Array(expected.planes.slice().buffer)),
        ).toBe(0);
        expect(actual.quality).toEqual(expected.quality);
      }),
      { numRuns: 60, seed: SEED },
    );
  });

  it('decodes the rest when it is asked for', async () => {
    const bytes = await resized(400, 300);
    const hint = { centerXPx: 200, centerYPx: 150, sizePx: 60, rotationRad: 0 };
    const picture = await createPictureReader()(fileOf(bytes), hint);
    expect(Buffer.compare(picture.pixels().data as Uint8Array, await reference(bytes))).toBe(0);
  });
});

describe('a damaged JPEG is refused', () => {
  const refused = { code: 'image_corrupt' };

  it('wherever it is cut, whatever part of it is wanted', async () => {
    const bytes = await resized(96, 80);
    const file = fileOf(bytes);
    const read = createPictureReader();
    const hint = { centerXPx: 10, centerYPx: 10, sizePx: 10, rotationRad: 0 };
    const scan = Buffer.from(bytes).indexOf(Buffer.from([0xff, 0xda]));
    for (let length = scan; length < bytes.length; length++) {
      await expect(read({ ...file, bytes: bytes.subarray(0, length) }, hint), `cut at ${length}`).rejects.toMatchObject(
        refused,
      );
    }
  });

  it('never harms what comes after it: 2,000 mutations', async () => {
    const bytes = await resized(96, 80);
    const expected = await reference(bytes);
    const read = createPictureReader();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        async (changes) => {
          const damaged = Uint8Array.from(bytes);
          for (const [at, value] of changes) damaged[at] = value;
          if (guardImage(damaged).ok)
            await read(fileOf(damaged), null).catch((error) => expect(error).toMatchObject(refused));
          const { data } = (await read(fileOf(bytes), null)).pixels();
          expect(Buffer.compare(data as Uint8Array, expected)).toBe(0);
        },
      ),
      { numRuns: 2_000, seed: SEED },
    );
  });
});
