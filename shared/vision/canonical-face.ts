import { apply, rotationOfHead, transpose, type Vec3 } from './linear.ts';

/** A landmark's index, its place in the head's frame in cm, and its weight in the rigid fit. */
export interface CanonicalPoint {
  readonly index: number;
  readonly place: Vec3;
  readonly weight: number;
}

/**
 * The 33 points that move least with expression, as [index, x, y, z, weight]: cm in the canonical
 * face's own frame (x to image right for a face that looks at the camera, y up, z out of the face).
 * Source: figures of MediaPipe's canonical face and its procrustes basis, read from
 * geometry_pipeline_metadata_landmarks.binarypb in npm @mediapipe/face_mesh@0.4.1657299874 (Apache-2.0).
 */
const FIGURES: readonly (readonly [number, number, number, number, number])[] = [
  [4, 0, -0.46317, 7.58658, 0.07091],
  [6, 0, 2.473255, 5.788627, 0.0321],
  [10, 0, 8.261778, 4.481535, 0.008447],
  [33, -4.445859, 2.663991, 3.173422, 0.058724],
  [54, -6.279331, 6.615427, 1.42585, 0.007667],
  [67, -3.523964, 8.005976, 3.729163, 0.009078],
  [117, -5.258659, 0.945811, 2.974312, 0.009792],
  [119, -3.300681, 0.861641, 3.872784, 0.014565],
  [121, -1.820731, 1.467954, 4.224124, 0.018591],
  [127, -7.743095, 2.364999, -2.005167, 0.005198],
  [129, -1.785794, -0.978284, 4.85047, 0.120625],
  [132, -7.270895, -2.890917, -2.252455, 0.00556],
  [133, -1.856432, 2.585245, 3.757904, 0.053286],
  [136, -5.085276, -7.17859, 0.714711, 0.06689],
  [143, -6.407571, 2.236021, 1.560843, 0.014817],
  [147, -6.234883, -1.94443, 1.663542, 0.014263],
  [198, -1.246815, 0.230297, 5.681036, 0.025462],
  [205, -3.832928, -1.537326, 4.137731, 0.047252],
  [263, 4.445859, 2.663991, 3.173422, 0.058724],
  [284, 6.279331, 6.615427, 1.42585, 0.007667],
  [297, 3.523964, 8.005976, 3.729163, 0.009078],
  [346, 5.258659, 0.945811, 2.974312, 0.009792],
  [348, 3.300681, 0.861641, 3.872784, 0.014565],
  [350, 1.820731, 1.467954, 4.224124, 0.018591],
  [356, 7.743095, 2.364999, -2.005167, 0.005198],
  [358, 1.785794, -0.978284, 4.85047, 0.120625],
  [361, 7.270895, -2.890917, -2.252455, 0.00556],
  [362, 1.856432, 2.585245, 3.757904, 0.053286],
  [365, 5.085276, -7.17859, 0.714711, 0.06689],
  [372, 6.407571, 2.236021, 1.560843, 0.014817],
  [376, 6.234883, -1.94443, 1.663542, 0.014263],
  [420, 1.246815, 0.230297, 5.681036, 0.025462],
  [425, 3.832928, -1.537326, 4.137731, 0.047252],
];

/**
 * The canonical face's z axis points this far below where a level head faces, degrees. Measured with
 * this pose fit: a rendered head facing the camera is read at −6° head-on and −3.5° over all poses,
 * 20 people photographed straight on (CMU Face Images) at −3.5° on average.
 */
const CANONICAL_TILT_DEG = 4.5;
const TO_HEAD = transpose(rotationOfHead(0, CANONICAL_TILT_DEG, 0));

/** A place of the canonical face in the head's frame, whose z axis is where the head faces; cm. */
export function canonicalToHead(place: Vec3): Vec3 {
  return apply(TO_HEAD, place);
}

export const CANONICAL_POINTS: readonly CanonicalPoint[] = FIGURES.map(([index, x, y, z, weight]) => ({
  index,
  place: canonicalToHead([x, y, z]),
  weight,
}));

/** Landmark indices of one eye. Lids are pairs of upper and lower points, from the outer to the inner corner. */
export interface EyeIndices {
  readonly outer: number;
  readonly inner: number;
  readonly iris: number;
  readonly lids: readonly (readonly [number, number])[];
}

/** The subject's right eye, at the picture's left. */
export const IMAGE_LEFT_EYE: EyeIndices = {
  outer: 33,
  inner: 133,
  iris: 468,
  lids: [
    [160, 144],
    [159, 145],
    [158, 153],
  ],
};

/** The subject's left eye, at the picture's right. */
export const IMAGE_RIGHT_EYE: EyeIndices = {
  outer: 263,
  inner: 362,
  iris: 473,
  lids: [
    [387, 373],
    [386, 374],
    [385, 380],
  ],
};

/** Number of landmarks and of values of a landmark array. */
export const LANDMARK_COUNT = 478;
export const LANDMARK_VALUES = LANDMARK_COUNT * 3;

/** Distance of the two eyes' corner midpoints and width of one eye between its corners in the canonical face, cm. */
export const CANONICAL_INTER_OCULAR_CM = 6.3023;
export const CANONICAL_EYE_WIDTH_CM = 2.6557;
