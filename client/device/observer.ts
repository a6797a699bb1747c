import type { FaceRoi, FrameSize } from '../../shared/geometry.ts';
import {
  decodeObservation,
  encodeObservation,
  type FaceObservation,
  OBSERVATION_BYTES,
} from '../../shared/observation.ts';
import { isTimeToCountFaces } from '../../shared/vision/face-count.ts';
import type { PixelImage } from '../../shared/vision/image.ts';
import type { Locate } from '../../shared/vision/locate.ts';
import { observationOf } from '../../shared/vision/observe.ts';
import type { Observed } from './messages.ts';
import { hasChanged, hasMovedFar } from './observation-diff.ts';

/** An older region is not used: the detector searches again. The gateway has the same rule. */
const ROI_MAX_AGE_MS = 2000;

/** One pixel in this many is compared to detect a frozen picture: a live camera has noise everywhere. */
const COMPARED_EVERY = 7;

const UNCHANGED: Observed = { observation: null, moved: false };

/** Observations of one camera; each search starts where the face was before. */
export interface Observer {
  /**
   * The observation of a picture of the whole camera frame (`camera`, camera pixels; RGBA of any size), taken at
   * `captureMs`. Null when it is identical to the previous picture, or where `rests`, when nothing has changed since the
   * observation that was returned last. Values are rounded to the wire's steps, as the server's are. Rejects with RelayError
   * `landmarks_invalid`.
   */
  observe(image: PixelImage, camera: FrameSize, captureMs: number, rests: boolean): Promise<Observed>;
  forget(): void;
}

function rounded(observation: FaceObservation): FaceObservation {
  const view = new DataView(new ArrayBuffer(OBSERVATION_BYTES));
  encodeObservation(view, 0, observation);
  return decodeObservation(view, 0);
}

/** A fingerprint of the picture: FNV-1a over every seventh pixel. */
function fingerprint({ data }: PixelImage): number {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
  let hash = 0x811c9dc5;
  for (let at = 0; at < words.length; at += COMPARED_EVERY) hash = Math.imul(hash ^ (words[at] as number), 0x01000193);
  return hash;
}

/** An observer on a locator (shared/vision/locate.ts). Not reentrant: await each call before the next. */
export function createObserver(locate: Locate): Observer {
  let last: { readonly roi: FaceRoi; readonly captureMs: number } | null = null;
  let print: number | null = null;
  let returned: FaceObservation | null = null;
  return {
    observe: async (image, camera, captureMs, rests) => {
      const seen = fingerprint(image);
      if (seen === print) return UNCHANGED;
      const crop = { xPx: 0, yPx: 0, ...camera };
      const hint = last !== null && captureMs - last.captureMs <= ROI_MAX_AGE_MS ? last.roi : null;
      const countFaces = last !== null && isTimeToCountFaces(last.captureMs, captureMs);
      const observation = rounded(observationOf(await locate({ image, crop }, hint, countFaces), camera));
      last = observation.face === null ? null : { roi: observation.face.nextRoi, captureMs };
      print = seen;
      if (rests && returned !== null && !hasChanged(returned, observation)) return UNCHANGED;
      const moved = returned !== null && hasMovedFar(returned, observation);
      returned = observation;
      return { observation, moved };
    },
    forget: () => {
      last = null;
      print = null;
      returned = null;
    },
  };
}
