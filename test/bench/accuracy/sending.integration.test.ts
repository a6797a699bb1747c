import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureBandwidth, QUALITIES, SIZES_PX } from '../../../bench/accuracy/bandwidth.ts';
import { decode, type Looker, openLooker, type Seen, type Shot } from '../../../bench/accuracy/look.ts';
import { resend, type SendingWay } from '../../../bench/accuracy/resend.ts';
import { measureSent } from '../../../bench/accuracy/sent.ts';
import { makeGrid } from '../../../bench/accuracy/synthetic/grid.ts';
import { ladderOf } from '../../../client/connection/pacing/formats.ts';
import { splitMjpeg } from '../../../harness/mjpeg.ts';
import { nextCrop } from '../../../shared/vision/crop.ts';

const clip = fileURLToPath(new URL('../../../harness/clips/cap12.mjpeg', import.meta.url));
const GREY_WEBP: SendingWay = { sizePx: 192, quality: 0.4, codec: 'webp', grey: true };

describe('pictures as they are sent', () => {
  let looker: Looker;
  let jpegs: readonly Uint8Array[];
  let shot: Shot;
  let seen: Seen;
  let wallJpeg: Uint8Array;
  let wall: Seen;
  beforeAll(async () => {
    looker = await openLooker();
    jpegs = splitMjpeg(await readFile(clip)).slice(0, 2);
    shot = await decode(jpegs[0] ?? new Uint8Array());
    seen = await looker.still(shot);
    wallJpeg = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#808080' } })
      .jpeg()
      .toBuffer();
    wall = await looker.still(await decode(wallJpeg));
  });
  afterAll(() => looker.close());

  it('show the crop that the client cuts, at most at its own size', async () => {
    const crop = nextCrop(seen.observation, shot.frame);
    const small = await resend(shot, seen.observation, GREY_WEBP);
    expect(small?.shot).toMatchObject({ crop, frame: shot.frame, image: { widthPx: 192, heightPx: 192 } });
    const large = await resend(shot, seen.observation, { ...GREY_WEBP, sizePx: 4000 });
    expect(large?.shot.image).toMatchObject({ widthPx: crop?.widthPx, heightPx: crop?.heightPx });
    const whole = await resend(shot, seen.observation, { ...GREY_WEBP, sizePx: null });
    expect(whole?.shot).toMatchObject({ crop: shot.crop, image: shot.frame });
  });

  it('are as long as the encoded file alone, without a profile', async () => {
    const colour = await resend(shot, seen.observation, { ...GREY_WEBP, grey: false });
    const grey = await resend(shot, seen.observation, GREY_WEBP);
    expect(grey?.bytes).toBeLessThan(colour?.bytes ?? 0);
    expect(grey?.bytes).toBeGreaterThan(300);
  });

  it('have no colour where the page takes it out, and keep the brightness', async () => {
    const red = { data: new Uint8Array(64 * 64 * 3).map((_, i) => (i % 3 === 0 ? 200 : 50)), channels: 3 } as const;
    const size = { widthPx: 64, heightPx: 64 };
    const redShot: Shot = { image: { ...red, ...size }, frame: size, crop: { xPx: 0, yPx: 0, ...size } };
    const way = { sizePx: null, quality: 1, codec: 'jpeg', grey: true } as const;
    const sent = await resend(redShot, wall.observation, way);
    const [r = 0, g = 0, b = 0] = sent?.shot.image.data ?? [];
    // 0.3 × 200 + 0.7 × 50
    for (const channel of [r, g, b]) expect(Math.abs(channel - 95)).toBeLessThanOrEqual(2);
  });

  it('are not there without a face', async () => {
    expect(await resend(await decode(wallJpeg), wall.observation, GREY_WEBP)).toBeNull();
  });

  it('are measured in every step of the ladder, against the whole picture', async () => {
    const [first, second] = makeGrid(1, 0.01).filter(({ set }) => set === 'states');
    const frames = [
      { ...first, observation: seen.observation },
      { ...second, observation: wall.observation },
    ] as Parameters<typeof measureSent>[0];
    const rows = await measureSent(frames, [jpegs[0] ?? new Uint8Array(), wallJpeg], looker, () => {});
    expect(rows.map(({ way }) => way)).toEqual([
      null,
      null,
      ...ladderOf('webp').map((format) => ({ ...format, grey: true })),
      { ...ladderOf('jpeg')[0], grey: true },
      { ...ladderOf('webp')[0], quality: 0.9, grey: true },
      { ...ladderOf('webp')[0], grey: false },
    ]);
    for (const { result } of rows) expect(result).toMatchObject({ n: 2, facesFound: 1 });
    const bytes = rows.map(({ meanBytes }) => meanBytes);
    expect(bytes[0]).toBe(jpegs[0]?.length);
    const ofWebp = bytes.slice(1, -3);
    expect(ofWebp).toEqual(ofWebp.toSorted((a, b) => b - a));
    expect(bytes.at(-3)).toBeGreaterThan(ofWebp[1] ?? 0);
  });

  it('are measured in every size, quality and format; a picture without a face is left out', async () => {
    const rows = await measureBandwidth([shot, await decode(wallJpeg)], looker);
    expect(rows).toHaveLength(SIZES_PX.length * QUALITIES.length * 4 + 1);
    for (const { n, changedShare, irisMedianPct } of rows) {
      expect(n).toBe(1);
      expect(changedShare).toBe(0);
      expect(irisMedianPct).toBeLessThan(5);
    }
    expect(rows.at(-1)?.way.sizePx).toBeNull();
  });
});
