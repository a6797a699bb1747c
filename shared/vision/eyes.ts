import type { EyeObservation } from '../observation.ts';
import {
  CANONICAL_EYE_WIDTH_CM,
  CANONICAL_POINTS,
  type EyeIndices,
  IMAGE_LEFT_EYE,
  IMAGE_RIGHT_EYE,
} from './canonical-face.ts';
import { add, apply, DEG_PER_RAD, dot, ramp, scale, subtract, type Vec3 } from './linear.ts';
import { type FaceCamera, type HeadPose, headToCamera, rayInFaceCamera } from './pose.ts';

/**
 * The plane in which the iris is looked for: parallel to the face, this far in front of the midpoint
 * of the eye's corners, cm; one figure for its place across and one for its height. A wrong figure
 * lets head turns and nods leak into the eye's angles. In webcam clips of a man who turns and nods
 * while he watches his screen, 0.3 leaves least of a turn and 0.4 least of a nod; on a rendered head
 * it is 0.3 and 0.1.
 */
export const IRIS_PLANE_ACROSS_CM = 0.32;
export const IRIS_PLANE_UP_CM = 0.25;

/**
 * Where the iris is on that plane when the eye looks straight out of the head, from the corners'
 * midpoint, cm: a little above it, and a little towards the temple.
 */
const IRIS_REST_UP_CM = 0.12;
export const IRIS_REST_OUTWARD_CM = 0.03;

/**
 * The mesh sets both irises this much too far to image right, cm (1–2°): half the sum of what it says
 * of a picture and of its mirror image, over rendered heads, webcam clips and CMU Face Images.
 */
export const IRIS_BIAS_RIGHT_CM = 0.018;

/**
 * Shift of the mesh's iris per tangent of the eye's angle, cm; the iris turns about the eyeball's centre at a distance of about
 * 1 cm. The mesh shows less of the rotation upwards and downwards, where the lids hide the iris, but a shorter lever there would
 * make more of its noise: the rest of a look down is read from the lid (below).
 */
export const IRIS_LEVER_ACROSS_CM = 0.9;
const IRIS_LEVER_UP_CM = 0.82;
/**
 * The corners are drawn along when the iris moves sideways. This share of how far both eyes' corners lie
 * off the place that the fitted face has for them counts as a shift of the iris: it takes a fifth off the
 * error of yaw on rendered heads, and leaves the spread among people who look into a camera as it is.
 */
const CORNERS_DRAWN_ALONG = 0.45;

/**
 * The upper lid goes with the eye up and down. What it lacks to this height over the corners' midpoint (cm: the height of a wide
 * open eye) counts LID_DEG_PER_CM downwards, up to MAX_LID_DROP_CM: more is a closing eye.
 *
 * Iris and lid together scatter less than the iris alone with a shorter lever: on 48 unlike rendered heads the error of pitch after
 * five points falls from 3.9° to 3.2°, and so does the scatter within a sitting of people at laptops.
 */
const LID_REST_CM = 0.65;
const LID_PLANE_CM = 0.35;
const LOWER_LID_PLANE_CM = 0.3;
const LID_DEG_PER_CM = 45;
const MAX_LID_DROP_CM = 0.4;

/**
 * A raised eye, which looks over the screen: the iris alone with more gain, corrected for how far the lids are apart, degrees per
 * cm of each, less the zero. It counts where it reads higher than iris and lid together and the gaze is near the screen's upper
 * edge or above it (counting in between these two pitches): further down it would be the noise of the iris. Fitted as a
 * discriminant between looks up of 24 unlike rendered heads and looks at the screen of those and of two people at laptops.
 */
const RAISED_DEG_PER_CM = { iris: 180, upperLid: -12, lowerLid: 25 } as const;
const RAISED_ZERO_DEG = 29.5;
const RAISED_FROM_DEG = -8;
const RAISED_FULLY_DEG = -3;

/**
 * A lowered eye of a bowed head, which looks below the screen: both lids are read together, degrees per cm of each, less the zero,
 * for the upper lid hides the iris there. It counts where it reads lower than iris and lid, between these pitches of the gaze and
 * of the head, and less the more the upper lid comes down, for a lid lower than that is a closing eye. A raised lower lid alone
 * says nothing: people who frown or squint into the camera (CMU Face Images) raise it as far, with the head up. Fitted as a discriminant
 * between looks down of 24 unlike rendered heads and looks at the screen of those and of two people at laptops.
 */
const LOWERED_DEG_PER_CM = { upperLid: 45, lowerLid: -85 } as const;
const LOWERED_ZERO_DEG = 60;
const LOWERED_GAZE = { fromDeg: -14, fullyDeg: -20 } as const;
const LOWERED_HEAD = { fromDeg: -16, fullyDeg: -22 } as const;
const CLOSING_LID_CM = { closing: 0.2, open: 0.35 } as const;

/**
 * Where an iris can be: its height over the middle between the lids, cm. It is within the inner
 * limits in 99 of 100 frames of open eyes (webcam clips, portraits, a rendered head looking 30° to
 * each side); under sunglasses, where the mesh guesses, it is anywhere from −1 to 1.
 */
const IRIS_BETWEEN_LIDS_CM = { lowest: -0.24, low: -0.12, high: 0.22, highest: 0.36 } as const;
/** An eye that is nearly shut hides its iris by itself: from here down, and from here up, openness. */
const SHUT_OPENNESS = 0.15;
const OPEN_OPENNESS = 0.2;

/**
 * What the figures above read of people who look at their laptop's screen, less where they look: 4.5° too high and 1° too far to
 * image left (two people at laptops, ten sittings each: 3.6° and 5.5° in the mean, 1.2° and 3.5° in pictures as pages send them).
 */
export const EYE_ZERO_YAW_DEG = -1;
const EYE_ZERO_PITCH_DEG = 4.5;

const MAX_EYE_DEG = 60;

function cornersMidpoint(eye: EyeIndices): Vec3 {
  const corners = CANONICAL_POINTS.filter(({ index }) => index === eye.outer || index === eye.inner);
  return corners.reduce<Vec3>((sum, { place }) => add(sum, scale(place, 1 / corners.length)), [0, 0, 0]);
}

const LEFT_MIDPOINT = cornersMidpoint(IMAGE_LEFT_EYE);
const RIGHT_MIDPOINT = cornersMidpoint(IMAGE_RIGHT_EYE);

interface Pixel {
  readonly xPx: number;
  readonly yPx: number;
}

function pixelOf(landmarks: Float32Array, index: number): Pixel {
  return { xPx: landmarks[index * 3] ?? 0, yPx: landmarks[index * 3 + 1] ?? 0 };
}

function midpointPx(landmarks: Float32Array, eye: EyeIndices): Pixel {
  const outer = pixelOf(landmarks, eye.outer);
  const inner = pixelOf(landmarks, eye.inner);
  return { xPx: (outer.xPx + inner.xPx) / 2, yPx: (outer.yPx + inner.yPx) / 2 };
}

/** Midpoint of the eye's corners in the canonical face, head's frame, cm. */
function canonicalMidpoint(eye: EyeIndices): Vec3 {
  return eye === IMAGE_LEFT_EYE ? LEFT_MIDPOINT : RIGHT_MIDPOINT;
}

/** Distance of the two eyes' corner midpoints in camera pixels. */
export function interOcularPxOf(landmarks: Float32Array, left: EyeIndices, right: EyeIndices): number {
  const a = midpointPx(landmarks, left);
  const b = midpointPx(landmarks, right);
  return Math.hypot(a.xPx - b.xPx, a.yPx - b.yPx);
}

/** The eye's own frame: the corners' midpoint in the turned camera's frame, with the head's axes. */
interface EyeFrame {
  readonly origin: Vec3;
  readonly camera: FaceCamera;
  readonly right: Vec3;
  readonly up: Vec3;
  readonly forward: Vec3;
}

function eyeFrameOf(landmarks: Float32Array, eye: EyeIndices, pose: HeadPose): EyeFrame {
  const middle = midpointPx(landmarks, eye);
  const depthCm = -headToCamera(pose, canonicalMidpoint(eye))[2];
  const { camera, rotation: r } = pose;
  return {
    origin: scale(rayInFaceCamera(camera, middle.xPx, middle.yPx), depthCm),
    camera,
    right: [r[0], r[3], r[6]],
    up: [r[1], r[4], r[7]],
    forward: [r[2], r[5], r[8]],
  };
}

/** A head seen more from the side or from below than this has no plane to look at. */
const MIN_FACING = 0.1;

/** Where a pixel's ray meets the plane parallel to the face, `aheadCm` in front of the eye's origin; x, y in the head's axes, cm. */
function placeOnFace(frame: EyeFrame, pixel: Pixel, aheadCm: number): { readonly x: number; readonly y: number } {
  const { origin, forward } = frame;
  const ray = rayInFaceCamera(frame.camera, pixel.xPx, pixel.yPx);
  const facing = Math.min(dot(ray, forward), -MIN_FACING);
  const offset = subtract(scale(ray, (dot(origin, forward) + aheadCm) / facing), origin);
  return { x: dot(offset, frame.right), y: dot(offset, frame.up) };
}

/** What the mesh says of one eye, measured in the eye's own frame, cm: `across` to image right, heights over the corners' midpoint. */
interface EyePlaces {
  readonly irisAcross: number;
  readonly irisUp: number;
  readonly upperLid: number;
  readonly lowerLid: number;
}

function eyePlacesOf(landmarks: Float32Array, eye: EyeIndices, pose: HeadPose): EyePlaces {
  const frame = eyeFrameOf(landmarks, eye, pose);
  const iris = pixelOf(landmarks, eye.iris);
  let upperLid = 0;
  let lowerLid = 0;
  for (const [upper, lower] of eye.lids) {
    upperLid += placeOnFace(frame, pixelOf(landmarks, upper), LID_PLANE_CM).y / eye.lids.length;
    lowerLid += placeOnFace(frame, pixelOf(landmarks, lower), LOWER_LID_PLANE_CM).y / eye.lids.length;
  }
  return {
    irisAcross: placeOnFace(frame, iris, IRIS_PLANE_ACROSS_CM).x,
    irisUp: placeOnFace(frame, iris, IRIS_PLANE_UP_CM).y,
    upperLid,
    lowerLid,
  };
}

/** The eye's pitch in the head, degrees, of a head with this pitch, from heights over the corners' midpoint in the eye's own frame, cm. */
export function eyePitchDegOf(
  { irisUp, upperLid, lowerLid }: Pick<EyePlaces, 'irisUp' | 'upperLid' | 'lowerLid'>,
  headPitchDeg: number,
): number {
  const lidDropCm = Math.min(MAX_LID_DROP_CM, Math.max(0, LID_REST_CM - upperLid));
  const irisDeg = Math.atan((irisUp - IRIS_REST_UP_CM) / IRIS_LEVER_UP_CM) * DEG_PER_RAD;
  const pitchDeg = irisDeg - LID_DEG_PER_CM * lidDropCm - EYE_ZERO_PITCH_DEG;
  const { iris, upperLid: ofUpper, lowerLid: ofLower } = RAISED_DEG_PER_CM;
  const raisedDeg = iris * irisUp + ofUpper * upperLid + ofLower * lowerLid - RAISED_ZERO_DEG;
  const gazeDeg = headPitchDeg + pitchDeg;
  const isHigh = ramp(gazeDeg, RAISED_FROM_DEG, RAISED_FULLY_DEG);
  const loweredDeg = LOWERED_DEG_PER_CM.upperLid * upperLid + LOWERED_DEG_PER_CM.lowerLid * lowerLid - LOWERED_ZERO_DEG;
  const isLow =
    ramp(gazeDeg, LOWERED_GAZE.fromDeg, LOWERED_GAZE.fullyDeg) *
    ramp(headPitchDeg, LOWERED_HEAD.fromDeg, LOWERED_HEAD.fullyDeg) *
    ramp(upperLid, CLOSING_LID_CM.closing, CLOSING_LID_CM.open);
  return pitchDeg + isHigh * Math.max(0, raisedDeg - pitchDeg) + isLow * Math.min(0, loweredDeg - pitchDeg);
}

/** What both eyes have in common to image right: their corners along the face, as cornersShiftOf has it, and hard light's error. */
interface EyesShift {
  readonly cornersCm: number;
  readonly lightDeg: number;
}

/** The eye's yaw in the head, degrees, from where the iris is in the eye's own frame. */
function eyeYawDegOf({ irisAcross }: EyePlaces, eye: EyeIndices, shift: EyesShift): number {
  const side = Math.sign(canonicalMidpoint(eye)[0]);
  const across = irisAcross + CORNERS_DRAWN_ALONG * shift.cornersCm - IRIS_BIAS_RIGHT_CM - side * IRIS_REST_OUTWARD_CM;
  return Math.atan(across / IRIS_LEVER_ACROSS_CM) * DEG_PER_RAD - EYE_ZERO_YAW_DEG - shift.lightDeg;
}

/**
 * How far the corners of both eyes lie to image right of their place in the fitted face, cm along the
 * face. The mean of both, so that eyes set wider or narrower than usual do not count.
 */
export function cornersShiftOf(landmarks: Float32Array, pose: HeadPose): number {
  let shift = 0;
  for (const eye of [IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE]) {
    const frame = eyeFrameOf(landmarks, eye, pose);
    shift += dot(subtract(frame.origin, headToCamera(pose, canonicalMidpoint(eye))), frame.right) / 2;
  }
  return shift;
}

/** How far the iris is where an open eye can have it, 0–1: 0 is an iris that the mesh made up, behind dark glass or a hand. */
function plausibilityOf(places: EyePlaces, openness: number): number {
  const height = places.irisUp - (places.upperLid + places.lowerLid) / 2;
  const { lowest, low, high, highest } = IRIS_BETWEEN_LIDS_CM;
  const plausible = Math.min(
    1,
    Math.max(0, Math.min((height - lowest) / (low - lowest), (highest - height) / (highest - high))),
  );
  const open = Math.min(1, Math.max(0, (openness - SHUT_OPENNESS) / (OPEN_OPENNESS - SHUT_OPENNESS)));
  return 1 - open * (1 - plausible);
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
  const angle = EYE_OUTWARD_DEG / DEG_PER_RAD;
  const outward = apply(pose.rotation, [side * Math.sin(angle), 0, Math.cos(angle)]);
  const t = Math.min(1, Math.max(0, (outward[2] - 0.25) / 0.6));
  return t * t * (3 - 2 * t);
}

function clampDeg(value: number): number {
  return Math.min(MAX_EYE_DEG, Math.max(-MAX_EYE_DEG, value));
}

/** One eye's observation; angles are limited to ±60°. */
export function observeEye(landmarks: Float32Array, eye: EyeIndices, pose: HeadPose, shift: EyesShift): EyeObservation {
  const places = eyePlacesOf(landmarks, eye, pose);
  const openness = opennessOf(landmarks, eye, pose);
  return {
    yawDeg: clampDeg(eyeYawDegOf(places, eye, shift)),
    pitchDeg: clampDeg(eyePitchDegOf(places, pose.pitchDeg)),
    openness,
    visibility: visibilityOf(eye, pose) * plausibilityOf(places, openness),
  };
}
