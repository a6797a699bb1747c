import sharp, { type Sharp } from 'sharp';
import { openEngine } from '../../inference/engine/open.ts';
import { loadModels } from '../../inference/models/store.ts';
import { prepareModels } from '../../scripts/models/prepare.ts';
import type { FaceRoi, FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { createPlainPictures, type FrameView } from '../../shared/vision/image.ts';
import type { Location } from '../../shared/vision/locate.ts';
import { observationOf } from '../../shared/vision/observe.ts';
import { roiFromLandmarks } from '../../shared/vision/roi.ts';

/** What was seen of a picture. `landmarks` as the mesh gives them, null without a face. */
export interface Seen {
  readonly observation: FaceObservation;
  readonly landmarks: Float32Array | null;
}

/** A picture, the part of the camera's frame that it shows, and the frame's size. */
export interface Shot extends FrameView {
  readonly frame: FrameSize;
}

/** The product's own models and arithmetic, on one picture at a time. */
export interface Looker {
  /** A still: found by the detector, then analysed once more where it was found, as the next frame of a video would be. */
  still(shot: Shot): Promise<Seen>;
  /** A frame of a video: where the last one had the face. */
  next(shot: Shot, hint: FaceRoi | null): Promise<Seen>;
  close(): Promise<void>;
}

/** Pictures are brought to a size that a webcam has, so that the detector finds small faces and large files cost little. */
const SMALLEST_SIDE_PX = 360;
const LARGEST_SIDE_PX = 1280;

/** The pixels of a picture, as the whole of a camera's frame. */
async function shotOf(picture: Sharp): Promise<Shot> {
  const { data, info } = await picture.toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const size = { widthPx: info.width, heightPx: info.height };
  return {
    image: { data, ...size, channels: 3 },
    frame: size,
    crop: { xPx: 0, yPx: 0, ...size },
  };
}

/** Pixels of an encoded picture at their own size. Rejects when it cannot be decoded. */
export function decode(bytes: Uint8Array | string): Promise<Shot> {
  return shotOf(sharp(bytes));
}

/** Pixels of a picture file, upright and of a webcam's size. Rejects when it cannot be read or decoded. */
export async function readStill(path: string): Promise<Shot> {
  const { autoOrient } = await sharp(path).metadata();
  const small = Math.min(autoOrient.width, autoOrient.height);
  const large = Math.max(autoOrient.width, autoOrient.height);
  const factor = small < SMALLEST_SIDE_PX ? Math.ceil(SMALLEST_SIDE_PX / small) : Math.min(1, LARGEST_SIDE_PX / large);
  const upright = sharp(path).autoOrient();
  return shotOf(factor === 1 ? upright : upright.resize({ width: Math.round(autoOrient.width * factor) }));
}

function seenOf(location: Location, frame: FrameSize): Seen {
  return { observation: observationOf(location, frame), landmarks: location.face?.landmarks.slice() ?? null };
}

/** Opens the models. Rejects as prepareModels and openEngine do. */
export async function openLooker(): Promise<Looker> {
  await prepareModels();
  const files = await loadModels();
  const engine = await openEngine('onnx', files);
  const pictureOf = createPlainPictures();
  return {
    still: async (shot) => {
      const { frame } = shot;
      const first = await engine.locate(pictureOf(shot), null);
      if (first.face === null) return seenOf(first, frame);
      const seen = seenOf(first, frame);
      const second = await engine.locate(pictureOf(shot), roiFromLandmarks(first.face.landmarks));
      return second.face === null || second.detectorRan ? seen : seenOf(second, frame);
    },
    next: async (shot, hint) => seenOf(await engine.locate(pictureOf(shot), hint), shot.frame),
    close: () => engine.close(),
  };
}
