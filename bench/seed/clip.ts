import sharp from 'sharp';
import { type CropChoice, chooseCrop, drawSize } from '../../client/capture/crop-choice.ts';
import { type LumaGrid, largestDifference, lumaGrid } from '../../client/capture/picture-diff.ts';
import { ladderOf } from '../../client/connection/pacing/formats.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { encodePicture } from '../../harness/page-pictures.ts';
import type { FaceRoi, RectPx } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { encodeClientMessage } from '../../shared/protocol/frames.ts';
import { wholeImageSizePx } from '../../shared/protocol/update.ts';
import { nextCrop } from '../../shared/vision/crop.ts';
import { decode, openLooker } from '../accuracy/look.ts';

/** What a camera gives, and what the seed's page sends of it. */
const CAMERA = { widthPx: 640, heightPx: 480 };
const SEED_QUALITY = 70;
const CROP_PX = 192;

/** One moment of the clip, as each kind of page sends it; encoded beforehand, so that sending costs the load generator little. */
export interface ClipMoment {
  /** A FRAME as pages send it: a grey crop about the face. */
  readonly frame: Uint8Array;
  readonly crop: RectPx;
  /** What a page compares with the picture that it sent last. */
  readonly grid: LumaGrid;
  /** What device mode measures, and the OBSERVATION that it sends of it. */
  readonly seen: FaceObservation;
  readonly observation: Uint8Array;
  /** The seed's data URL. */
  readonly dataUrl: string;
  /** True where the student surely looks at the screen, by the old rule too. */
  readonly isCentred: boolean;
}

const HEADER = { seq: 0, captureMs: 0, late: false } as const;

/** What a page draws of a crop, as PNG without loss. */
function draw(picture: Uint8Array, { crop, fullFrame }: CropChoice): Promise<Buffer> {
  const { widthPx, heightPx } = drawSize(crop, fullFrame ? wholeImageSizePx(CROP_PX) : CROP_PX);
  return sharp(picture)
    .extract({ left: crop.xPx, top: crop.yPx, width: crop.widthPx, height: crop.heightPx })
    .resize({ width: widthPx, height: heightPx, fit: 'fill' })
    .png()
    .toBuffer();
}

async function gridOf(drawn: Buffer): Promise<LumaGrid> {
  const { data, info } = await sharp(drawn)
    .greyscale()
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return lumaGrid(new Uint8ClampedArray(data), info.width, info.height);
}

/** Every moment of the clip, CLIP_FPS a second. Crops follow the face as the gateway's hints make a page do. */
export async function prepareClip(): Promise<BenchClip> {
  const [format] = ladderOf('webp');
  if (format === undefined) throw new Error('pages send no WebP');
  const looker = await openLooker();
  const moments: ClipMoment[] = [];
  let roi: FaceRoi | null = null;
  let hint: RectPx | null = null;
  let choice: CropChoice | null = null;
  for (const jpeg of CLIP_FRAMES) {
    const picture = await sharp(jpeg).resize(CAMERA.widthPx, CAMERA.heightPx).jpeg({ quality: 95 }).toBuffer();
    choice = chooseCrop(hint, CAMERA, choice);
    const drawn = await draw(picture, choice);
    const image = await encodePicture(sharp(drawn), { ...format, grey: true });
    const asSeed = await sharp(picture).jpeg({ quality: SEED_QUALITY }).toBuffer();
    const { observation } = await looker.next(await decode(picture), roi);
    if (observation.face === null) throw new Error('the clip lost its face');
    moments.push({
      frame: encodeClientMessage({ kind: 'frame', ...HEADER, codec: 'webp', ...choice, image }),
      crop: choice.crop,
      grid: await gridOf(drawn),
      seen: observation,
      observation: encodeClientMessage({ kind: 'observation', ...HEADER, observation }),
      isCentred: isCentred(observation),
      dataUrl: `data:image/jpeg;base64,${asSeed.toString('base64')}`,
    });
    roi = observation.face.nextRoi;
    hint = nextCrop(observation, CAMERA, hint);
  }
  await looker.close();
  return { moments, stillAt: typicalRun(moments) };
}

/** The clip as students of all kinds see it. */
export interface BenchClip {
  readonly moments: readonly ClipMoment[];
  /** Number of the first of the moments of a student who sits still. */
  readonly stillAt: number;
}

/** Of a lesson's time a student moves this much and sits still otherwise (bench/rate/lesson.ts): in turns of this length. */
const TURN_MS = 40_000;
/** 2^32 by the golden ratio: neighbours in time are mixed, so that no rate of sending meets the same frame each time. */
const MIX = 0x9e3779b1;
const MOVING_MS = 8000;

const WIDE_OPEN = 0.2;
const STRAIGHT_DEG = 20;

function isCentred({ face }: FaceObservation): boolean {
  if (face === null || face.seedDirection !== 'centered' || Math.abs(face.headYawDeg) > STRAIGHT_DEG) return false;
  return [face.imageLeftEye, face.imageRightEye].every(
    ({ openness, pitchDeg, yawDeg }) =>
      openness > WIDE_OPEN && Math.abs(pitchDeg) < STRAIGHT_DEG && Math.abs(yawDeg) < STRAIGHT_DEG,
  );
}

/** Median difference of the clip's neighbours, levels of the cell that differs most: no page takes such two for the same picture. */
const TYPICAL_LEVELS = 6;
const RUN = 3;

/** First of three neighbours that show the student at the screen in one crop, and differ as neighbours of the clip do. */
function typicalRun(moments: readonly ClipMoment[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index + RUN <= moments.length; index += 1) {
    const [first, second, third] = moments.slice(index, index + RUN);
    if (first === undefined || second === undefined || third === undefined) continue;
    const run = [first, second, third];
    if (run.some(({ isCentred, crop }) => !isCentred || crop !== first.crop)) continue;
    const levels = [largestDifference(first.grid, second.grid), largestDifference(second.grid, third.grid)];
    const off = Math.max(...levels.map((level) => Math.abs(level - TYPICAL_LEVELS)));
    if (off < least) [best, least] = [index, off];
  }
  return best;
}

/**
 * What a student sees who is `elapsedMs` into a lesson: a stretch of the clip, forth and back, in which its student moves, then a
 * longer one of three real frames, mixed, in which the student sits still before a camera that is never quite.
 */
export function momentAt({ moments, stillAt }: BenchClip, elapsedMs: number): ClipMoment | undefined {
  const frame = Math.floor((elapsedMs * CLIP_FPS) / 1000);
  if (elapsedMs % TURN_MS >= MOVING_MS) return moments[stillAt + ((Math.imul(frame, MIX) >>> 16) % RUN)];
  const index = frame % (2 * moments.length - 2);
  return moments[index < moments.length ? index : 2 * moments.length - 2 - index];
}
