import { describe, expect, it } from 'vitest';
import { faceAtScreen } from '../../../harness/observations.ts';
import { distanceCmOf, screenSetupOf } from '../../../shared/focus/screen-setup.ts';
import type { FaceMeasurement } from '../../../shared/observation.ts';
import { focalLengthPx } from '../../../shared/vision/pose.ts';
import { DEFAULT_SETUP } from '../../../shared/vision/screen.ts';

const CAMERA = { widthPx: 640, heightPx: 480 };

function faceAt(interOcularPx: number, headYawDeg = 0): FaceMeasurement {
  const { face } = faceAtScreen({ interOcularPx, headYawDeg });
  if (face === null) throw new Error('a face is expected');
  return face;
}

describe('how far a student sits from the camera', () => {
  it('follows from how far apart the eyes are in the picture', () => {
    const at60CmPx = (focalLengthPx(CAMERA) * 6.3023) / 60;
    expect(distanceCmOf(faceAt(at60CmPx), CAMERA)).toBeCloseTo(60, 6);
    expect(distanceCmOf(faceAt(at60CmPx / 1.5), CAMERA)).toBeCloseTo(90, 6);
  });

  it('does not depend on the size of the picture, nor on the head being turned', () => {
    const near = distanceCmOf(faceAt(70), CAMERA);
    expect(distanceCmOf(faceAt(140), { widthPx: 1280, heightPx: 960 })).toBeCloseTo(near, 6);
    expect(distanceCmOf(faceAt(70 * Math.cos(Math.PI / 9), 20), CAMERA)).toBeCloseTo(near, 6);
  });

  it('stays where people sit, whatever is measured', () => {
    expect(distanceCmOf(faceAt(0), CAMERA)).toBe(150);
    expect(distanceCmOf(faceAt(5000), CAMERA)).toBe(20);
  });
});

describe('the setup of a screen', () => {
  it('has the size that the client tells and the middle of the distances', () => {
    const faces = [60, 70, 400].map((px) => faceAt(px));
    expect(screenSetupOf({ widthCm: 50, heightCm: 28 }, faces, CAMERA)).toEqual({
      widthCm: 50,
      heightCm: 28,
      belowCameraCm: DEFAULT_SETUP.belowCameraCm,
      distanceCm: distanceCmOf(faceAt(70), CAMERA),
    });
  });

  it('is a laptop where nothing is known', () => {
    expect(screenSetupOf(null, [], CAMERA)).toEqual(DEFAULT_SETUP);
  });
});
