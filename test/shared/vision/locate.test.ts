import { describe, expect, it } from 'vitest';
import type { FaceRoi } from '../../../shared/geometry.ts';
import type { DetectedFace } from '../../../shared/vision/detector.ts';
import { createPlainPictures } from '../../../shared/vision/image.ts';
import { createSearch } from '../../../shared/vision/locate.ts';
import { roiFromDetection, roiFromLandmarks } from '../../../shared/vision/roi.ts';
import { faceWith, renderFace } from '../../support/synthetic-face.ts';

const facing = faceWith({});
const { frame } = facing;
const picture = createPlainPictures()({
  image: { data: new Uint8Array(frame.widthPx * frame.heightPx * 3), ...frame, channels: 3 },
  crop: { xPx: 0, yPx: 0, ...frame },
});
const quality = { brightness: 0.5, sharpness: 0.5 };
const landmarks = renderFace(facing);
const detected: DetectedFace = {
  score: 0.6,
  box: { xPx: 250, yPx: 150, widthPx: 90, heightPx: 90 },
  imageLeftEye: { xPx: 270, yPx: 180 },
  imageRightEye: { xPx: 310, yPx: 180 },
};

/** A search whose mesh has these scores, one for each look; says where it looked. */
async function search(scores: readonly number[], faces: readonly DetectedFace[] = [detected]) {
  const looks: FaceRoi[] = [];
  const locate = createSearch({
    look: async (_, roi) => {
      looks.push(roi);
      return { face: { score: scores[looks.length - 1] ?? 0, landmarks }, quality };
    },
    detect: async () => ({ faces, quality }),
  });
  const { face } = await locate(picture, null);
  return { score: face?.score ?? null, looks };
}

describe('a face that the detector saw', () => {
  it('is looked at once when the mesh is sure of it', async () => {
    expect(await search([0.9])).toEqual({ score: 0.9, looks: [roiFromDetection(detected)] });
  });

  it('is looked at again where its own points are when the mesh is not', async () => {
    const looks = [roiFromDetection(detected), roiFromLandmarks(landmarks)];
    expect(await search([0.1, 0.9])).toEqual({ score: 0.9, looks });
  });

  it('is looked at three times more at most, and no more than two faces are tried', async () => {
    const { score, looks } = await search(
      [0.1, 0.2, 0.3, 0.4, 0.1, 0.1, 0.1, 0.4, 0.9],
      [detected, detected, detected],
    );
    expect(score).toBeNull();
    expect(looks).toHaveLength(8);
    expect((await search([0.1, 0.2, 0.3, 0.6])).score).toBe(0.6);
  });
});
