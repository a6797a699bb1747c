import type { EyeObservation } from '../observation.ts';
import { CANONICAL_EYE_WIDTH_CM, CANONICAL_POINTS, type EyeIndices } from './canonical-face.ts';
import { add, anglesOfDirection, apply, dot, normalize, scale, subtract, transpose, type Vec3 } from './linear.ts';
import { type HeadPose, headToCamera, rayInFaceCamera } from './pose.ts';

/** Radius on which the iris centre turns about the eyeball's centre, cm (corneal plane left out). */
const IRIS_RADIUS_CM = 1;

/** From the midpoint of the eye's corners to the eyeball's centre along the head's z, cm. */
const EYEBALL_OFFSET_Z_CM = -0.75;

/**
 * Share of the eye's true rotation that the mesh's iris shows: lids hide the iris when the eye
 * turns up or down. Measured on rendered heads with known angles (0.7–0.8 in yaw, 0.3–0.46 in pitch).
 */
export const IRIS_YAW_GAIN = 0.75;
export const IRIS_PITCH_GAIN = 0.4;

const MAX_EYE_DEG = 60;

function pixelOf(landmarks: Float32Array, index: number): { xPx: number; yPx: number } {
  return { xPx: landmarks[index * 3] ?? 0, yPx: landmarks[index * 3 + 1] ?? 0 };
}

function midpointPx(landmarks: Float32Array, eye: EyeIndices): { xPx: number; yPx: number } {
  const outer = pixelOf(landmarks, eye.outer);
  const inner = pixelOf(landmarks, eye.inner);
  return { xPx: (outer.xPx + inner.xPx) / 2, yPx: (outer.yPx + inner.yPx) / 2 };
}

function canonicalMidpoint(eye: EyeIndices): Vec3 {
  const corners = CANONICAL_POINTS.filter(({ index }) => index === eye.outer || index === eye.inner);
  return corners.reduce<Vec3>((sum, { place }) => add(sum, scale(place, 1 / corners.length)), [0, 0, 0]);
}

/** Distance of the two eyes' corner midpoints in camera pixels. */
export function interOcularPxOf(landmarks: Float32Array, left: EyeIndices, right: EyeIndices): number {
  const a = midpointPx(landmarks, left);
  const b = midpointPx(landmarks, right);
  return Math.hypot(a.xPx - b.xPx, a.yPx - b.yPx);
}

/**
 * Where the iris is seen to point in the head's frame, unit vector, before any gain correction.
 * The eyeball's centre lies behind the midpoint of the eye's corners; the ray through the iris
 * centre meets a sphere about it (a ray that passes it by is taken at its nearest point).
 */
export function irisDirection(landmarks: Float32Array, eye: EyeIndices, pose: HeadPose): Vec3 {
  const middle = midpointPx(landmarks, eye);
  const depth = -headToCamera(pose, canonicalMidpoint(eye))[2];
  const middlePlace = scale(rayInFaceCamera(pose.camera, middle.xPx, middle.yPx), depth);
  const centre = add(middlePlace, apply(pose.rotation, [0, 0, EYEBALL_OFFSET_Z_CM]));
  const iris = pixelOf(landmarks, eye.iris);
  const ray = normalize(rayInFaceCamera(pose.camera, iris.xPx, iris.yPx));
  const along = dot(ray, centre);
  const missSquared = dot(centre, centre) - along * along;
  const reach = Math.sqrt(Math.max(0, IRIS_RADIUS_CM * IRIS_RADIUS_CM - missSquared));
  const seen = scale(ray, along - reach);
  return apply(transpose(pose.rotation), normalize(subtract(seen, centre)));
}

/**
 * Lid gap over the width an eye has at this pose's scale, 0 = shut. The gap is taken along the
 * head's own vertical and corrected for its foreshortening, mean over three pairs of lid points.
 */
export function opennessOf(landmarks: Float32Array, eye: EyeIndices, pose: HeadPose): number {
  const up = apply(pose.rotation, [0, 1, 0]);
  const upLength = Math.hypot(up[0], up[1]);
  if (upLength < 0.2) return 0;
  const gaps = eye.lids.map(([upper, lower]) => {
    const a = pixelOf(landmarks, upper);
    const b = pixelOf(landmarks, lower);
    return ((a.xPx - b.xPx) * up[0] + (b.yPx - a.yPx) * up[1]) / upLength;
  });
  const gapPx = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return Math.max(0, gapPx / upLength / (pose.pxPerCm * CANONICAL_EYE_WIDTH_CM));
}

/** Angle between an eye's outward direction and the head's, degrees: the outer corner lies further back. */
const EYE_OUTWARD_DEG = 15;

/**
 * How much of the eye the camera sees, 0–1, from the angle between the eye's outward direction and
 * the line of sight: 1 up to about 30°, 0 from about 75° on.
 */
export function visibilityOf(eye: EyeIndices, pose: HeadPose): number {
  const side = Math.sign(canonicalMidpoint(eye)[0]);
  const angle = (EYE_OUTWARD_DEG * Math.PI) / 180;
  const outward = apply(pose.rotation, [side * Math.sin(angle), 0, Math.cos(angle)]);
  const t = Math.min(1, Math.max(0, (outward[2] - 0.25) / 0.6));
  return t * t * (3 - 2 * t);
}

function clampDeg(value: number): number {
  return Math.min(MAX_EYE_DEG, Math.max(-MAX_EYE_DEG, value));
}

/** One eye's observation; angles are corrected for the iris's gain and limited to ±60°. */
export function observeEye(landmarks: Float32Array, eye: EyeIndices, pose: HeadPose): EyeObservation {
  const seen = anglesOfDirection(irisDirection(landmarks, eye, pose));
  return {
    yawDeg: clampDeg(seen.yawDeg / IRIS_YAW_GAIN),
    pitchDeg: clampDeg(seen.pitchDeg / IRIS_PITCH_GAIN),
    openness: opennessOf(landmarks, eye, pose),
    visibility: visibilityOf(eye, pose),
  };
}
