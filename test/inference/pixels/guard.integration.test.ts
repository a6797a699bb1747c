import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { clipFrame } from '../../../harness/clip.ts';
import { guardImage } from '../../../inference/pixels/guard.ts';

const frame = clipFrame(0);

function picture(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: '#806040' } });
}

/** The frame's bytes with the frame header (SOF0) changed in place. */
function withFrameHeader(change: (view: DataView) => void): Uint8Array {
  const bytes = Uint8Array.from(frame);
  for (let at = 2; at < bytes.length; at++) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xc0) {
      change(new DataView(bytes.buffer, at));
      return bytes;
    }
  }
  throw new Error('the clip’s frame has no baseline header');
}

function faultOf(bytes: Uint8Array): string {
  const verdict = guardImage(bytes);
  return verdict.ok ? 'none' : verdict.fault;
}

describe('guardImage reads the header and decodes nothing', () => {
  it('gives format and size of a camera’s JPEG', () => {
    expect(guardImage(frame)).toEqual({ ok: true, format: 'jpeg', widthPx: 400, heightPx: 300 });
  });

  it.each([
    ['lossy', { quality: 50 }],
    ['lossless', { lossless: true }],
  ])('gives format and size of a %s WebP', async (_kind, options) => {
    const bytes = await picture(161, 97).webp(options).toBuffer();
    expect(guardImage(bytes)).toEqual({ ok: true, format: 'webp', widthPx: 161, heightPx: 97 });
  });

  it('gives format and size of an extended WebP', async () => {
    const bytes = await picture(161, 97)
      .withExif({ IFD0: { Copyright: 'none' } })
      .webp()
      .toBuffer();
    expect(Buffer.from(bytes.subarray(12, 16)).toString('latin1')).toBe('VP8X');
    expect(guardImage(bytes)).toEqual({ ok: true, format: 'webp', widthPx: 161, heightPx: 97 });
  });

  it('takes grey JPEG', async () => {
    const bytes = await picture(32, 32).greyscale().jpeg().toBuffer();
    expect(guardImage(bytes)).toMatchObject({ ok: true, widthPx: 32 });
  });

  it.each([
    ['nothing', async () => new Uint8Array()],
    ['a PNG, whatever it is called', () => picture(32, 32).png().toBuffer()],
    ['a GIF', () => picture(32, 32).gif().toBuffer()],
    ['a progressive JPEG', () => picture(32, 32).jpeg({ progressive: true }).toBuffer()],
    ['a CMYK JPEG', () => picture(32, 32).toColourspace('cmyk').jpeg().toBuffer()],
    ['an animated WebP', () => animation()],
    ['text', async () => new TextEncoder().encode('{"type":"frame"}')],
  ])('refuses %s as imageFormat', async (_name, make) => {
    expect(faultOf(await make())).toBe('imageFormat');
  });

  it.each([
    [1281, 960],
    [1280, 961],
    [961, 1280],
    [960, 1281],
    [65_535, 1],
    [65_500, 65_500],
  ])('refuses a JPEG whose header says %i×%i as imageTooLarge', (width, height) => {
    const bytes = withFrameHeader((view) => {
      view.setUint16(5, height);
      view.setUint16(7, width);
    });
    expect(faultOf(bytes)).toBe('imageTooLarge');
  });

  it('takes 1280×960 and 960×1280, and refuses a larger WebP', async () => {
    for (const [width, height] of [
      [1280, 960],
      [960, 1280],
    ] as const) {
      expect(guardImage(await picture(width, height).jpeg().toBuffer()).ok).toBe(true);
      expect(guardImage(await picture(width, height).webp().toBuffer()).ok).toBe(true);
    }
    expect(faultOf(await picture(1281, 8).webp().toBuffer())).toBe('imageTooLarge');
    expect(faultOf(await picture(1281, 8).webp({ lossless: true }).toBuffer())).toBe('imageTooLarge');
  });

  it('refuses a JPEG without width', () => {
    expect(faultOf(withFrameHeader((view) => view.setUint16(7, 0)))).toBe('imageCorrupt');
  });

  it('refuses a JPEG cut anywhere in its header as imageCorrupt', () => {
    const header = frame.findIndex((byte, at) => byte === 0xff && frame[at + 1] === 0xc0);
    for (let length = 2; length < header + 10; length++) {
      expect(faultOf(frame.subarray(0, length)), `cut at ${length}`).toBe('imageCorrupt');
    }
  });

  it('refuses a JPEG cut anywhere after its header as imageCorrupt, and takes one with something after its end', () => {
    for (let length = 700; length < frame.length; length += 97) {
      expect(faultOf(frame.subarray(0, length)), `cut at ${length}`).toBe('imageCorrupt');
    }
    expect(faultOf(Uint8Array.from([...frame, 0, 0, 0]))).toBe('none');
  });

  it('refuses segments that make no sense', () => {
    expect(faultOf(Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 1, 0xff, 0xc0, 0, 0]))).toBe('imageCorrupt');
    expect(faultOf(Uint8Array.from([0xff, 0xd8, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11]))).toBe('imageCorrupt');
    const comments = Array.from({ length: 100 }, () => [0xff, 0xfe, 0, 2]).flat();
    expect(faultOf(Uint8Array.from([0xff, 0xd8, ...comments, ...frame.subarray(2)]))).toBe('imageFormat');
  });

  it('refuses a WebP that is shorter than it says', async () => {
    const bytes = await picture(161, 97).webp().toBuffer();
    expect(faultOf(bytes.subarray(0, bytes.length - 1))).toBe('imageCorrupt');
    expect(faultOf(bytes.subarray(0, 20))).toBe('imageCorrupt');
  });
});

async function animation(): Promise<Uint8Array> {
  const frames = Buffer.concat([Buffer.alloc(16 * 16 * 3, 10), Buffer.alloc(16 * 16 * 3, 200)]);
  return sharp(frames, { raw: { width: 16, height: 32, channels: 3, pageHeight: 16 } })
    .webp({ loop: 0, delay: [100, 100] })
    .toBuffer();
}
