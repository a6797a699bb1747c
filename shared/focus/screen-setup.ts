import type { FrameSize } from '../geometry.ts';
import { median } from '../median.ts';
import type { FaceMeasurement } from '../observation.ts';
import { CANONICAL_INTER_OCULAR_CM } from '../vision/canonical-face.ts';
import { focalLengthPx } from '../vision/pose.ts';
import { DEFAULT_SETUP, type ScreenSetup } from '../vision/screen.ts';

/** Screens are not read from nearer or farther than this; beyond it the estimate is wrong. */
const NEAREST_CM = 20;
const FARTHEST_CM = 150;

/**
 * Distance from camera to face, cm, from how far apart the eyes are in the picture (pinhole camera of the documented
 * default field of view, eyes as far apart as the canonical face's). A turned head brings them together by the cosine of its yaw.
 * Children's eyes are nearer together, so that they are taken to sit a little farther away than they do.
 */
export function distanceCmOf(face: FaceMeasurement, camera: FrameSize): number {
  const turned = Math.cos((face.headYawDeg * Math.PI) / 180);
  const distanceCm = (focalLengthPx(camera) * CANONICAL_INTER_OCULAR_CM * turned) / Math.max(face.interOcularPx, 1);
  return Math.min(FARTHEST_CM, Math.max(NEAREST_CM, distanceCm));
}

/** A screen's size, cm. */
export interface ScreenSize {
  readonly widthCm: number;
  readonly heightCm: number;
}

/** What is known of a student's camera and screen: the camera's full frame, and the screen's size as far as the page can tell. */
export interface StudentView {
  readonly camera: FrameSize;
  readonly screen: ScreenSize | null;
}

/**
 * The screen as a student sits before it: its size as the client tells it (null: a 15-inch laptop), the distance as the
 * camera sees it over all `faces`, the camera in the middle above it.
 */
export function screenSetupOf(
  screen: ScreenSize | null,
  faces: readonly FaceMeasurement[],
  camera: FrameSize,
): ScreenSetup {
  return {
    ...DEFAULT_SETUP,
    ...screen,
    distanceCm: faces.length === 0 ? DEFAULT_SETUP.distanceCm : median(faces.map((face) => distanceCmOf(face, camera))),
  };
}
