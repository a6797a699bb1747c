import type { FaceRoi, RectPx } from '../geometry.ts';

/** Input of the short-range detector: 128×128 RGB planes, −1…1. */
export const DETECTOR_SIZE = 128;
/** Boxes it proposes, and numbers per box: centre x, y, width, height, six keypoints. */
export const DETECTOR_BOXES = 896;
export const DETECTOR_BOX_VALUES = 16;

// Anchors, threshold and suppression: MediaPipe, face_detection/face_detection_short_range_common.pbtxt.
const LAYERS = [
  { stridePx: 8, anchorsPerCell: 2 },
  { stridePx: 16, anchorsPerCell: 6 },
];
const MIN_SCORE = 0.5;
/**
 * Where no box reaches that, from here on one is a face: those thrown back or in profile score less, and
 * the mesh is the judge after this one. It finds 9 more of CMU Face Images' 313 faces, one of them turned
 * to the wrong side, and none in 11 pictures without a face; 0.3 adds faces that are read wrong.
 */
const MIN_WEAK_SCORE = 0.4;
const MIN_OVERLAP = 0.3;
const EYES_AT = 4;

interface PointPx {
  readonly xPx: number;
  readonly yPx: number;
}

/** A face the detector saw, camera pixels of the full frame. */
export interface DetectedFace {
  /** 0–1. */
  readonly score: number;
  /** Upright in the region that was searched. */
  readonly box: RectPx;
  readonly imageLeftEye: PointPx;
  readonly imageRightEye: PointPx;
}

/** Centre of every anchor as x, y pairs in input pixels; all anchors have the same fixed size. */
function anchorCenters(): Float32Array {
  const centers: number[] = [];
  for (const { stridePx, anchorsPerCell } of LAYERS) {
    const cells = DETECTOR_SIZE / stridePx;
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        for (let anchor = 0; anchor < anchorsPerCell; anchor++) {
          centers.push((column + 0.5) * stridePx, (row + 0.5) * stridePx);
        }
      }
    }
  }
  return Float32Array.from(centers);
}

const ANCHORS = anchorCenters();

/** Corners and eyes in input pixels: left, top, right, bottom, first eye x, y, second eye x, y. */
type Candidate = { readonly score: number; readonly values: readonly number[] };

function candidates(boxes: Float32Array, logits: Float32Array, minScore: number): Candidate[] {
  const minLogit = Math.log(minScore / (1 - minScore));
  const found: Candidate[] = [];
  for (let index = 0; index < DETECTOR_BOXES; index++) {
    const logit = logits[index] ?? Number.NEGATIVE_INFINITY;
    if (!(logit >= minLogit)) continue;
    const anchorX = ANCHORS[index * 2] ?? 0;
    const anchorY = ANCHORS[index * 2 + 1] ?? 0;
    const value = (at: number): number => boxes[index * DETECTOR_BOX_VALUES + at] ?? 0;
    const x = value(0) + anchorX;
    const y = value(1) + anchorY;
    const halfWidth = value(2) / 2;
    const halfHeight = value(3) / 2;
    found.push({
      score: 1 / (1 + Math.exp(-logit)),
      values: [
        x - halfWidth,
        y - halfHeight,
        x + halfWidth,
        y + halfHeight,
        value(EYES_AT) + anchorX,
        value(EYES_AT + 1) + anchorY,
        value(EYES_AT + 2) + anchorX,
        value(EYES_AT + 3) + anchorY,
      ],
    });
  }
  return found.sort((one, other) => other.score - one.score);
}

function overlap(one: Candidate, other: Candidate): number {
  const [left = 0, top = 0, right = 0, bottom = 0] = one.values;
  const [otherLeft = 0, otherTop = 0, otherRight = 0, otherBottom = 0] = other.values;
  const width = Math.min(right, otherRight) - Math.max(left, otherLeft);
  const height = Math.min(bottom, otherBottom) - Math.max(top, otherTop);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  const union = (right - left) * (bottom - top) + (otherRight - otherLeft) * (otherBottom - otherTop) - both;
  return union > 0 ? both / union : 0;
}

function weightedMean(group: readonly Candidate[]): number[] {
  const total = group.reduce((sum, member) => sum + member.score, 0);
  const first = group[0]?.values ?? [];
  return first.map((_, at) => group.reduce((sum, member) => sum + member.score * (member.values[at] ?? 0), 0) / total);
}

/** Non-maximum suppression as MediaPipe's "weighted" kind has it: a face is the mean of all boxes over its best one. */
function suppress(sorted: readonly Candidate[]): Candidate[] {
  const faces: Candidate[] = [];
  let remaining = sorted;
  for (let best = remaining[0]; best !== undefined; best = remaining[0]) {
    const top = best;
    const group = remaining.filter((other) => other === top || overlap(top, other) > MIN_OVERLAP);
    faces.push({ score: top.score, values: weightedMean(group) });
    remaining = remaining.filter((other) => !group.includes(other));
  }
  return faces;
}

/**
 * Faces in the detector's output, best first, in camera pixels. `boxes` [896, 16] are relative to
 * the anchors in input pixels, `logits` [896]; `region` is the upright square that was searched.
 */
export function decodeDetections(boxes: Float32Array, logits: Float32Array, region: FaceRoi): DetectedFace[] {
  const scale = region.sizePx / DETECTOR_SIZE;
  const toX = (x: number): number => region.centerXPx + (x - DETECTOR_SIZE / 2) * scale;
  const toY = (y: number): number => region.centerYPx + (y - DETECTOR_SIZE / 2) * scale;
  const sure = candidates(boxes, logits, MIN_SCORE);
  return suppress(sure.length > 0 ? sure : candidates(boxes, logits, MIN_WEAK_SCORE)).map(({ score, values }) => {
    const [left = 0, top = 0, right = 0, bottom = 0, eyeX = 0, eyeY = 0, otherEyeX = 0, otherEyeY = 0] = values;
    return {
      score,
      box: { xPx: toX(left), yPx: toY(top), widthPx: (right - left) * scale, heightPx: (bottom - top) * scale },
      imageLeftEye: { xPx: toX(eyeX), yPx: toY(eyeY) },
      imageRightEye: { xPx: toX(otherEyeX), yPx: toY(otherEyeY) },
    };
  });
}

/** Faces in the order they should be tried: nearest to the hint's centre, or largest first without one. */
export function orderFaces(faces: readonly DetectedFace[], hint: FaceRoi | null): DetectedFace[] {
  const rank = ({ box }: DetectedFace): number =>
    hint === null
      ? -box.widthPx * box.heightPx
      : Math.hypot(box.xPx + box.widthPx / 2 - hint.centerXPx, box.yPx + box.heightPx / 2 - hint.centerYPx);
  return faces.toSorted((one, other) => rank(one) - rank(other));
}
