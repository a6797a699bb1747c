import { nextCrop } from '../../shared/vision/crop.ts';
import { verdictOf } from '../../shared/vision/verdict.ts';
import type { Looker, Seen, Shot } from './look.ts';
import { resend, type SendingWay } from './resend.ts';

export const SIZES_PX = [128, 160, 192, 224] as const;
/** As canvas encoders take them; those of the ladder are among them (client/connection/pacing/formats.ts). */
export const QUALITIES = [0.35, 0.4, 0.45, 0.5, 0.7] as const;
export const FORMATS = [
  { codec: 'jpeg', grey: false },
  { codec: 'jpeg', grey: true },
  { codec: 'webp', grey: false },
  { codec: 'webp', grey: true },
] as const;
/** Smaller crops would not be drawn at every size of the ladder, whose byte figures are these. */
const LEAST_CROP_PX = 192;
/** What a whole frame is measured in, for comparison. */
export const WHOLE: SendingWay = { sizePx: null, quality: 0.7, codec: 'jpeg', grey: false };

/** One way of sending a face, against the picture as it was. */
export interface BandwidthRow {
  readonly way: SendingWay;
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

/** A picture with its face, as the whole frame shows it. */
interface Reference {
  readonly shot: Shot;
  readonly seen: Seen;
  readonly landmarks: Float32Array;
}

async function measureWay(references: readonly Reference[], way: SendingWay, looker: Looker): Promise<BandwidthRow> {
  const errors: number[] = [];
  let [bytes, changed, n] = [0, 0, 0];
  for (const { shot, seen, landmarks } of references) {
    const { observation } = seen;
    const sent = await resend(shot, observation, way);
    if (sent === null) continue;
    const small = await looker.next(sent.shot, observation.face?.nextRoi ?? null);
    n++;
    bytes += sent.bytes;
    if (verdictOf(small.observation).direction !== verdictOf(observation).direction) changed++;
    if (small.landmarks !== null) errors.push(irisErrorPct(landmarks, small.landmarks));
  }
  return {
    way,
    n,
    irisMedianPct: quantile(errors, 0.5),
    irisP90Pct: quantile(errors, 0.9),
    changedShare: changed / n,
    meanBytes: bytes / n,
  };
}

/**
 * Every size, quality and format over those of the pictures that hold a face with a crop of LEAST_CROP_PX or more.
 */
export async function measureBandwidth(shots: readonly Shot[], looker: Looker): Promise<readonly BandwidthRow[]> {
  const references: Reference[] = [];
  for (const shot of shots) {
    const seen = await looker.still(shot);
    const crop = nextCrop(seen.observation, shot.frame);
    if (seen.landmarks !== null && crop !== null && Math.min(crop.widthPx, crop.heightPx) >= LEAST_CROP_PX) {
      references.push({ shot, seen, landmarks: seen.landmarks });
    }
  }
  const ways = [
    ...FORMATS.flatMap((format) =>
      SIZES_PX.flatMap((sizePx) => QUALITIES.map((quality): SendingWay => ({ sizePx, quality, ...format }))),
    ),
    WHOLE,
  ];
  const rows: BandwidthRow[] = [];
  for (const way of ways) rows.push(await measureWay(references, way, looker));
  return rows;
}
