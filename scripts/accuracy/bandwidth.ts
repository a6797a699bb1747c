import sharp from 'sharp';
import type { FaceRoi } from '../../shared/geometry.ts';
import { nextCrop } from '../../shared/vision/crop.ts';
import { verdictOf } from '../../shared/vision/verdict.ts';
import { decode, type Looker, type Seen, type Shot } from './look.ts';

export const SIZES_PX = [128, 160, 192, 224, 256] as const;
export const QUALITIES = [30, 50, 70] as const;
export const FORMATS = ['jpeg', 'webp'] as const;
export type Format = (typeof FORMATS)[number];

/** One way of sending a face, against the full picture. `sizePx` null: the full frame. */
export interface BandwidthRow {
  readonly sizePx: number | null;
  readonly quality: number;
  readonly format: Format;
  readonly n: number;
  /** Distance of the irises from those of the full picture, % of the distance between the irises. */
  readonly irisMedianPct: number;
  readonly irisP90Pct: number;
  /** Share of pictures whose direction changes, or whose face is lost. */
  readonly changedShare: number;
  readonly meanBytes: number;
}

const IRIS_CENTRES = [468, 473] as const;

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

function irisErrorPct(full: Float32Array, small: Float32Array): number {
  const at = (of: Float32Array, index: number): readonly [number, number] => [
    of[index * 3] ?? 0,
    of[index * 3 + 1] ?? 0,
  ];
  const [left, right] = IRIS_CENTRES.map((index) => at(full, index));
  if (left === undefined || right === undefined) return Number.NaN;
  const between = Math.hypot(left[0] - right[0], left[1] - right[1]);
  const errors = IRIS_CENTRES.map((index) => {
    const [a, b] = [at(full, index), at(small, index)];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  });
  return (100 * errors.reduce((sum, error) => sum + error, 0)) / errors.length / between;
}

/** A picture with its face, as the full frame shows it. */
interface Reference {
  readonly shot: Shot;
  readonly seen: Seen;
  readonly landmarks: Float32Array;
  readonly hint: FaceRoi;
}

async function resend(
  { shot, seen }: Reference,
  sizePx: number | null,
  quality: number,
  format: Format,
): Promise<{ readonly shot: Shot; readonly bytes: number } | null> {
  const { image, frame } = shot;
  const raw = { raw: { width: image.widthPx, height: image.heightPx, channels: 3 as const } };
  const crop = sizePx === null ? shot.crop : nextCrop(seen.observation, frame);
  if (crop === null) return null;
  const cut = sharp(image.data, raw).extract({
    left: crop.xPx,
    top: crop.yPx,
    width: crop.widthPx,
    height: crop.heightPx,
  });
  const sized = sizePx === null ? cut : cut.resize({ width: sizePx, height: sizePx, fit: 'fill' });
  const encoded = await (format === 'jpeg' ? sized.jpeg({ quality }) : sized.webp({ quality })).toBuffer();
  const decoded = await decode(encoded);
  return { shot: { image: decoded.image, frame, crop }, bytes: encoded.byteLength };
}

/** Every size, quality and format over pictures of which each holds a face in the full frame; the others are left out. */
export async function measureBandwidth(shots: readonly Shot[], looker: Looker): Promise<readonly BandwidthRow[]> {
  const references: Reference[] = [];
  for (const shot of shots) {
    const seen = await looker.still(shot);
    const hint = seen.observation.face?.nextRoi;
    if (seen.landmarks !== null && hint !== undefined) {
      references.push({ shot, seen, landmarks: seen.landmarks, hint });
    }
  }
  const ways: (readonly [number | null, number, Format])[] = [
    ...FORMATS.flatMap((format) =>
      SIZES_PX.flatMap((sizePx) => QUALITIES.map((quality) => [sizePx, quality, format] as const)),
    ),
    [null, 70, 'jpeg'],
  ];
  const rows: BandwidthRow[] = [];
  for (const [sizePx, quality, format] of ways) {
    const errors: number[] = [];
    let [bytes, changed, n] = [0, 0, 0];
    for (const reference of references) {
      const sent = await resend(reference, sizePx, quality, format);
      if (sent === null) continue;
      const small = await looker.next(sent.shot, reference.hint);
      n++;
      bytes += sent.bytes;
      const before = verdictOf(reference.seen.observation).direction;
      if (verdictOf(small.observation).direction !== before) changed++;
      if (small.landmarks !== null) errors.push(irisErrorPct(reference.landmarks, small.landmarks));
    }
    rows.push({
      sizePx,
      quality,
      format,
      n,
      irisMedianPct: quantile(errors, 0.5),
      irisP90Pct: quantile(errors, 0.9),
      changedShare: changed / n,
      meanBytes: bytes / n,
    });
  }
  return rows;
}
