/**
 * The face mesh model's input and output. Input: 192×192 RGB planes, 0…1. Output, in input pixels:
 * 468 mesh points and five refined branches.
 */
export const MESH_SIZE = 192;
export const MESH_POINTS = 468;
/** Mesh points and two irises of five points each. */
export const FACE_POINTS = 478;
/** Rows kept for each branch: the widest has that many points. */
export const HEAD_POINTS = 80;

/** Branches: lips, image-left eye, its iris, image-right eye, its iris. */
export const HEADS = 5;

// Which landmark each row of a branch replaces: MediaPipe,
// mediapipe/modules/face_landmark/tensors_to_face_landmarks_with_attention.pbtxt.
export const LIPS: readonly number[] = [
  61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 78, 95, 88, 178, 87, 14,
  317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415, 76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306,
  184, 74, 73, 72, 11, 302, 303, 304, 408, 62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268,
  271, 272, 407,
];
export const IMAGE_LEFT_EYE_POINTS: readonly number[] = [
  33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24, 23, 22, 26, 112, 243,
  247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189, 35, 124,
  46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
];
export const IMAGE_RIGHT_EYE_POINTS: readonly number[] = [
  263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339, 254, 253, 252, 256,
  341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442,
  441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336,
  285, 417,
];
/** The first points of an eye branch are the eye's contour; their mean depth is the iris's. */
const CONTOUR_POINTS = 16;
const IRIS_POINTS = 5;

interface Branch {
  readonly landmarks: readonly number[];
  /** Landmarks whose mean depth the branch takes; null leaves depth as the mesh has it. */
  readonly depthOf: readonly number[] | null;
}

function iris(first: number, eye: readonly number[]): Branch {
  return {
    landmarks: Array.from({ length: IRIS_POINTS }, (_, index) => first + index),
    depthOf: eye.slice(0, CONTOUR_POINTS),
  };
}

const BRANCHES: readonly Branch[] = [
  { landmarks: LIPS, depthOf: null },
  { landmarks: IMAGE_LEFT_EYE_POINTS, depthOf: null },
  iris(MESH_POINTS, IMAGE_LEFT_EYE_POINTS),
  { landmarks: IMAGE_RIGHT_EYE_POINTS, depthOf: null },
  iris(MESH_POINTS + IRIS_POINTS, IMAGE_RIGHT_EYE_POINTS),
];

/**
 * Joins the model's outputs into 478 landmarks (x, y, z each), in the unit of its inputs: branches
 * replace x and y of their points, an iris has the mean depth of its eye's contour. `mesh` is
 * [468, 3], `heads` [5, 80, 2] in the order lips, image-left eye, its iris, image-right eye, its iris.
 */
export function refineLandmarks(mesh: Float32Array, heads: Float32Array): Float32Array {
  const landmarks = new Float32Array(FACE_POINTS * 3);
  landmarks.set(mesh.subarray(0, MESH_POINTS * 3));
  BRANCHES.forEach((branch, row) => {
    const depth =
      branch.depthOf === null
        ? null
        : branch.depthOf.reduce((sum, point) => sum + (landmarks[point * 3 + 2] ?? 0), 0) / branch.depthOf.length;
    branch.landmarks.forEach((point, index) => {
      const from = (row * HEAD_POINTS + index) * 2;
      landmarks[point * 3] = heads[from] ?? 0;
      landmarks[point * 3 + 1] = heads[from + 1] ?? 0;
      if (depth !== null) landmarks[point * 3 + 2] = depth;
    });
  });
  return landmarks;
}

/** The probability of a logit. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
