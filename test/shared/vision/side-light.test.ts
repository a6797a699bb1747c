import { describe, expect, it } from 'vitest';
import { FACE_POINTS, MESH_SIZE } from '../../../shared/vision/mesh-output.ts';
import { measureFace } from '../../../shared/vision/observe.ts';
import { hardSideLightOf, lightYawDegOf, SKIN_PAIRS } from '../../../shared/vision/side-light.ts';
import { faceWith, renderFace } from '../../support/synthetic-face.ts';

const PLANE = MESH_SIZE * MESH_SIZE;

/** A tensor of the mesh's size, grey. */
function planesOf(luma: (x: number, y: number) => number): Float32Array {
  const planes = new Float32Array(3 * PLANE);
  for (let at = 0; at < PLANE; at++) {
    planes.fill(luma(at % MESH_SIZE, Math.floor(at / MESH_SIZE)), at, at + 1);
    for (let channel = 1; channel < 3; channel++) planes[at + channel * PLANE] = planes[at] as number;
  }
  return planes;
}

/** A face in the middle: places of skin below one another, those of one side in one column. */
function landmarksOf(): Float32Array {
  const landmarks = new Float32Array(FACE_POINTS * 3);
  for (const [i, [left, right]] of SKIN_PAIRS.entries()) {
    landmarks.set([60, 40 + 9 * i, 0], left * 3);
    landmarks.set([MESH_SIZE - 60, 40 + 9 * i, 0], right * 3);
  }
  return landmarks;
}

/** A face whose image left is this many times as bright as its image right. */
const litFromLeft = (times: number, luma = 0.5): Float32Array =>
  planesOf((x) => luma * (x < MESH_SIZE / 2 ? Math.sqrt(times) : 1 / Math.sqrt(times)));

describe('hard light from the side', () => {
  it('is none in even light and in soft light, which is read right', () => {
    for (const times of [1, 1.2, 1 / 1.2]) expect(hardSideLightOf(litFromLeft(times), landmarksOf())).toBeCloseTo(0, 9);
  });

  it('has a sign for its side, grows with the difference, and ends at 1', () => {
    const [weak, hard, harder] = [1.5, 2, 3].map((times) => hardSideLightOf(litFromLeft(times, 0.3), landmarksOf()));
    expect(weak).toBeGreaterThan(0.2);
    expect(hard).toBeGreaterThan(weak as number);
    expect(harder).toBe(1);
    expect(hardSideLightOf(litFromLeft(1 / 2, 0.3), landmarksOf())).toBeCloseTo(-(hard as number), 6);
  });

  it('is not taken from hair or a hand before some places of one side', () => {
    const covered = planesOf((x, y) => (x > MESH_SIZE / 2 && y < 75 ? 0.05 : 0.5));
    expect(hardSideLightOf(covered, landmarksOf())).toBeCloseTo(0, 9);
  });

  it('is finite in the dark and outside the picture', () => {
    expect(
      hardSideLightOf(
        planesOf(() => 0),
        landmarksOf(),
      ),
    ).toBe(0);
    const far = new Float32Array(FACE_POINTS * 3).fill(1e6);
    expect(hardSideLightOf(litFromLeft(3), far)).toBe(0);
  });
});

describe('the eyes in hard light', () => {
  const frame = { widthPx: 640, heightPx: 480 };
  const roi = { centerXPx: 320, centerYPx: 240, sizePx: 200, rotationRad: 0 };
  const yawsOf = (headYawDeg: number, hardSideLight: number): number[] => {
    const clear = { seen: 1, shut: 0 };
    const landmarks = renderFace(faceWith({ frame, yawDeg: headYawDeg, eyePitchDeg: -8 }));
    const face = measureFace(landmarks, 1, frame, roi, { imageLeft: clear, imageRight: clear, hardSideLight });
    return [face.imageLeftEye.yawDeg, face.imageRightEye.yawDeg];
  };

  it('are read less towards the side away from the lamp', () => {
    for (const light of [-1, 0.5, 1]) {
      const even = yawsOf(0, 0);
      yawsOf(0, light).forEach((yawDeg, eye) => {
        expect(yawDeg).toBeCloseTo((even[eye] ?? 0) - light * 3, 6);
      });
    }
  });

  it('are read as ever when the head is turned, where its far side is not seen', () => {
    expect(lightYawDegOf(1, 15)).toBe(3);
    expect(lightYawDegOf(1, -50)).toBe(0);
    expect(yawsOf(45, 1)).toEqual(yawsOf(45, 0));
  });
});
