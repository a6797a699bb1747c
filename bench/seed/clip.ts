import sharp from 'sharp';
import { type CropChoice, chooseCrop, drawSize } from '../../client/capture/crop-choice.ts';
import { type LumaGrid, lumaGrid } from '../../client/capture/picture-diff.ts';
import { ladderOf } from '../../client/connection/pacing/formats.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { encodePicture } from '../../harness/page-pictures.ts';
import type { FaceRoi, RectPx } from '../../shared/geometry.ts';
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
  /** An OBSERVATION as device mode sends it. */
  readonly observation: Uint8Array;
  /** The seed's data URL. */
  readonly dataUrl: string;
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
export async function prepareClip(): Promise<readonly ClipMoment[]> {
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
      observation: encodeClientMessage({ kind: 'observation', ...HEADER, observation }),
      dataUrl: `data:image/jpeg;base64,${asSeed.toString('base64')}`,
    });
    roi = observation.face.nextRoi;
    hint = nextCrop(observation, CAMERA, hint);
  }
  await looker.close();
  return moments;
}

/** Number of the moment that a student whose clip began `elapsedMs` ago sees; the clip runs forth and back. */
export function momentAt(elapsedMs: number, count: number): number {
  const index = Math.floor((elapsedMs * CLIP_FPS) / 1000) % (2 * count - 2);
  return index < count ? index : 2 * count - 2 - index;
}
