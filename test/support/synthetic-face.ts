import type { FrameSize } from '../../shared/geometry.ts';
import { CANONICAL_POINTS, canonicalToHead, LANDMARK_VALUES } from '../../shared/vision/canonical-face.ts';
import {
  EYE_ZERO_YAW_DEG,
  eyePitchDegOf,
  IRIS_BIAS_RIGHT_CM,
  IRIS_LEVER_ACROSS_CM,
  IRIS_PLANE_ACROSS_CM,
  IRIS_PLANE_UP_CM,
  IRIS_REST_OUTWARD_CM,
} from '../../shared/vision/eyes.ts';
import {
  add,
  apply,
  multiply,
  rotationFromForward,
  rotationOfHead,
  scale,
  subtract,
  transpose,
  type Vec3,
} from '../../shared/vision/linear.ts';
import { focalLengthPx } from '../../shared/vision/pose.ts';

/** A face whose every landmark is known exactly. Angles in degrees, image side, against the line of sight. */
export interface SyntheticFace {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
  /** Eye-in-head angles; the irises are put where eyes.ts says the mesh shows them. */
  readonly eyeYawDeg: number;
  readonly eyePitchDeg: number;
  readonly distanceCm: number;
  /** Lid gap as a share of the canonical one. */
  readonly lids: number;
  /** Where the face is in the frame, as shares of its width and height. */
  readonly centerX: number;
  readonly centerY: number;
  readonly frame: FrameSize;
  /** Focal length of the camera that takes the picture. */
  readonly focalPx: number;
}

/** Lids of an eye that looks at the camera, high for one that looks at a screen. */
const WIDE_OPEN_LIDS = 1.85;

/** A face at 60 cm in the middle of a 640×480 frame that looks at the camera, but for `values`. */
export function faceWith(values: Partial<SyntheticFace>): SyntheticFace {
  const frame = values.frame ?? { widthPx: 640, heightPx: 480 };
  return {
    yawDeg: 0,
    pitchDeg: 0,
    rollDeg: 0,
    eyeYawDeg: 0,
    eyePitchDeg: 0,
    distanceCm: 60,
    lids: WIDE_OPEN_LIDS,
    centerX: 0.5,
    centerY: 0.5,
    frame,
    focalPx: focalLengthPx(frame),
    ...values,
  };
}

/** Lids and nose tip of the canonical face, cm; same source as CANONICAL_POINTS. */
const OTHER_POINTS: readonly (readonly [number, Vec3])[] = [
  [1, [0, -1.126865, 7.475604]],
  [159, [-3.177186, 2.964136, 3.876973]],
  [145, [-3.177186, 2.294265, 3.775704]],
  [158, [-2.724032, 2.96181, 3.871767]],
  [153, [-2.724032, 2.315802, 3.777151]],
  [160, [-3.670075, 2.927714, 3.724325]],
  [144, [-3.670075, 2.360153, 3.63523]],
  [386, [3.177186, 2.964136, 3.876973]],
  [374, [3.177186, 2.294265, 3.775704]],
  [385, [2.724032, 2.96181, 3.871767]],
  [380, [2.724032, 2.315802, 3.777151]],
  [387, [3.670075, 2.927714, 3.724325]],
  [373, [3.670075, 2.360153, 3.63523]],
];

const LID_PAIRS = [
  [159, 145],
  [158, 153],
  [160, 144],
  [386, 374],
  [385, 380],
  [387, 373],
] as const;

function weightedMeanPlace(): Vec3 {
  const sum = CANONICAL_POINTS.reduce((total, point) => total + point.weight, 0);
  return CANONICAL_POINTS.reduce<Vec3>((mean, { place, weight }) => add(mean, scale(place, weight / sum)), [0, 0, 0]);
}

/** Moves the lids to a share of their canonical gap. */
function openLids(places: Map<number, Vec3>, share: number): void {
  for (const [upper, lower] of LID_PAIRS) {
    const [a, b] = [places.get(upper) ?? [0, 0, 0], places.get(lower) ?? [0, 0, 0]] as [Vec3, Vec3];
    const middle = scale(add(a, b), 0.5);
    places.set(upper, add(middle, scale(subtract(a, middle), share)));
    places.set(lower, add(middle, scale(subtract(b, middle), share)));
  }
}

/** Height of the iris, cm, from which this pitch of the eye is read between these lids: by halving, for readings rise with it. */
function irisUpFor(eyePitchDeg: number, upperLid: number, lowerLid: number, headPitchDeg: number): number {
  let [low, high] = [-2, 2];
  for (let round = 0; round < 50; round++) {
    const irisUp = (low + high) / 2;
    if (eyePitchDegOf({ irisUp, upperLid, lowerLid }, headPitchDeg) < eyePitchDeg) low = irisUp;
    else high = irisUp;
  }
  return low;
}

/** 478 × (x, y, z) of the face as an ideal mesh would give them; landmarks that nothing reads stay 0. */
export function renderFace(face: SyntheticFace): Float32Array {
  const { frame, focalPx } = face;
  const places = new Map<number, Vec3>(CANONICAL_POINTS.map(({ index, place }) => [index, place]));
  for (const [index, place] of OTHER_POINTS) places.set(index, canonicalToHead(place));
  const wideOpen = new Map(places);
  openLids(wideOpen, WIDE_OPEN_LIDS);
  openLids(places, face.lids);
  for (const [outer, inner, iris, upperLid, lowerLid] of [
    [33, 133, 468, 159, 145],
    [263, 362, 473, 386, 374],
  ] as const) {
    const middle = scale(add(places.get(outer) ?? [0, 0, 0], places.get(inner) ?? [0, 0, 0]), 0.5);
    const side = Math.sign(middle[0]);
    const tangent = (deg: number): number => Math.tan((deg * Math.PI) / 180);
    const across =
      IRIS_BIAS_RIGHT_CM +
      side * IRIS_REST_OUTWARD_CM +
      IRIS_LEVER_ACROSS_CM * tangent(face.eyeYawDeg + EYE_ZERO_YAW_DEG);
    // As if the lids were wide open: lids that hang lower are read as a look down.
    const lidUp = (index: number): number => (wideOpen.get(index)?.[1] ?? 0) - middle[1];
    const up = irisUpFor(face.eyePitchDeg, lidUp(upperLid), lidUp(lowerLid), face.pitchDeg);
    places.set(iris, add(middle, [across, up, (IRIS_PLANE_ACROSS_CM + IRIS_PLANE_UP_CM) / 2]));
  }

  const sight: Vec3 = [
    ((face.centerX - 0.5) * frame.widthPx) / focalPx,
    ((0.5 - face.centerY) * frame.heightPx) / focalPx,
    -1,
  ];
  const turn = rotationFromForward(scale(sight, -1));
  const rotation = multiply(turn, rotationOfHead(face.yawDeg, face.pitchDeg, face.rollDeg));
  const towardsFace = apply(turn, [0, 0, -1]);
  const middle = weightedMeanPlace();
  const landmarks = new Float32Array(LANDMARK_VALUES);
  for (const [index, place] of places) {
    const offset = apply(rotation, subtract(place, middle));
    const [x, y, z] = add(scale(towardsFace, face.distanceCm), offset);
    const depthCm = -apply(transpose(turn), offset)[2];
    landmarks.set(
      [
        frame.widthPx / 2 + (focalPx * x) / -z,
        frame.heightPx / 2 - (focalPx * y) / -z,
        (depthCm * focalPx) / face.distanceCm,
      ],
      index * 3,
    );
  }
  return landmarks;
}
