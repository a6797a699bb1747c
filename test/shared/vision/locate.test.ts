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

/** A search whose mesh has these scores, one for each look; says where it looked and how many faces it counted. */
async function search(
  scores: readonly number[],
  faces: readonly DetectedFace[] = [detected],
  { hint = null, countFaces = false }: { readonly hint?: FaceRoi | null; readonly countFaces?: boolean } = {},
) {
  const looks: FaceRoi[] = [];
  let detections = 0;
  const locate = createSearch({
    look: async (_, roi) => {
      looks.push(roi);
      return { face: { score: scores[looks.length - 1] ?? 0, landmarks }, quality };
    },
    detect: async () => {
      detections++;
      return { faces, quality };
    },
  });
  const { face, faceCount, fault } = await locate(picture, hint, countFaces);
  return { score: face?.score ?? null, looks, faceCount, detections, fault };
}

describe('a face that the detector saw', () => {
  it('is analysed once when the mesh is sure of it', async () => {
    expect(await search([0.95])).toMatchObject({ score: 0.95, looks: [roiFromDetection(detected)], faceCount: 1 });
  });

  it('is analysed again where its own points are when the mesh is not', async () => {
    const looks = [roiFromDetection(detected), roiFromLandmarks(landmarks)];
    expect(await search([0.1, 0.95])).toMatchObject({ score: 0.95, looks });
  });

  it('is analysed three times more at most, and no more than two faces are tried', async () => {
    const { score, looks } = await search(
      [0.1, 0.2, 0.3, 0.4, 0.1, 0.1, 0.1, 0.4, 0.95],
      [detected, detected, detected],
    );
    expect(score).toBeNull();
    expect(looks).toHaveLength(8);
    expect((await search([0.1, 0.2, 0.3, 0.95])).score).toBe(0.95);
  });

  it('is none when the mesh is as unsure as of hair or cloth, and then the picture’s fault is reported', async () => {
    expect(await search([0.85, 0.85, 0.85, 0.85])).toMatchObject({ score: null, faceCount: 0, fault: 'too_dark' });
    expect((await search([0.95])).fault).toBeUndefined();
  });
});

describe('other faces', () => {
  const hint = roiFromLandmarks(landmarks);
  const own: DetectedFace = {
    ...detected,
    box: { xPx: hint.centerXPx - 45, yPx: hint.centerYPx - 45, widthPx: 90, heightPx: 90 },
  };
  const beside: DetectedFace = { ...own, box: { ...own.box, xPx: own.box.xPx + 4 * own.box.widthPx } };

  it('are not looked for while the hint holds, unless they are to be counted', async () => {
    expect(await search([0.95], [own, beside], { hint })).toMatchObject({ faceCount: 1, detections: 0 });
    expect(await search([0.95, 0.95], [own, beside], { hint, countFaces: true })).toMatchObject({
      score: 0.95,
      faceCount: 2,
      detections: 1,
    });
  });

  it('count when the mesh is sure of them too, and the student’s own is no other', async () => {
    expect((await search([0.95, 0.6], [own, beside], { hint, countFaces: true })).faceCount).toBe(1);
    expect((await search([0.95, 0.95], [own], { hint, countFaces: true })).faceCount).toBe(1);
    expect((await search([0.95, 0.95], [own, beside])).faceCount).toBe(2);
  });
});
