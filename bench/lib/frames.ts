import sharp from 'sharp';
import { ladderOf } from '../../client/connection/pacing/formats.ts';
import { CLIP_FRAMES } from '../../harness/clip.ts';
import { encodePicture } from '../../harness/page-pictures.ts';
import { createOnnxEngine } from '../../inference/engine/onnx.ts';
import type { ModelFiles } from '../../inference/models/store.ts';
import { type ObserveRequest, observe } from '../../inference/observe.ts';
import { createPictureReader } from '../../inference/pixels/reader.ts';
import type { FaceRoi } from '../../shared/geometry.ts';

const FULL = { widthPx: 640, heightPx: 480 };
const CROP_PX = 224;
const JPEG_QUALITY = 70;
const FRAMES = 40;

/** A face crop with the region of the frame before, and as pages send it; a full frame with it; a full frame without. */
export const CASES = ['crop224', 'page192', 'full640', 'full640Detector'] as const;
export type Case = (typeof CASES)[number];
export type Requests = Readonly<Record<Case, readonly ObserveRequest[]>>;

/** Frames of the real clip as 640×480 and as face crops of 224 px, each with the region of the frame before. */
export async function prepareFrames(files: ModelFiles): Promise<Requests> {
  const engine = await createOnnxEngine(files);
  const vision = { engine, read: createPictureReader() };
  const whole = { xPx: 0, yPx: 0, ...FULL };
  const requests: Record<Case, ObserveRequest[]> = { crop224: [], page192: [], full640: [], full640Detector: [] };
  let roi: FaceRoi | null = null;
  for (const frame of CLIP_FRAMES.slice(0, FRAMES + 1)) {
    const picture = sharp(frame).resize(FULL.widthPx, FULL.heightPx);
    const image = await picture.clone().jpeg({ quality: JPEG_QUALITY }).toBuffer();
    const outcome = await observe(vision, { frame: FULL, crop: whole, roi, image });
    if (outcome.status !== 'ok' || outcome.observation.face === null) throw new Error('the clip lost its face');
    if (roi !== null) {
      requests.full640.push({ frame: FULL, crop: whole, roi, image });
      requests.full640Detector.push({ frame: FULL, crop: whole, roi: null, image });
      const side = Math.min(FULL.heightPx, Math.round(roi.sizePx * 1.07));
      const crop = {
        xPx: Math.max(0, Math.min(FULL.widthPx - side, Math.round(roi.centerXPx - side / 2))),
        yPx: Math.max(0, Math.min(FULL.heightPx - side, Math.round(roi.centerYPx - side / 2))),
        widthPx: side,
        heightPx: side,
      };
      const face = sharp(await picture.clone().png().toBuffer()).extract({
        left: crop.xPx,
        top: crop.yPx,
        width: side,
        height: side,
      });
      const jpeg = await face.clone().resize(CROP_PX, CROP_PX).jpeg({ quality: JPEG_QUALITY }).toBuffer();
      requests.crop224.push({ frame: FULL, crop, roi, image: jpeg });
      const [best] = ladderOf('webp');
      if (best === undefined) throw new Error('pages send no WebP');
      const sent = await encodePicture(face.clone().resize(best.sizePx, best.sizePx), { ...best, grey: true });
      requests.page192.push({ frame: FULL, crop, roi, image: sent });
    }
    roi = outcome.observation.face.nextRoi;
  }
  await engine.close();
  return requests;
}
