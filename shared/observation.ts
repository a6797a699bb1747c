import { type Direction, directionFromWire, directionToWire } from './direction.ts';
import { RelayError } from './errors.ts';
import type { FaceRoi } from './geometry.ts';

/** One eye. Angles are eye-in-head, degrees: yaw positive to image right, pitch positive up. */
export interface EyeObservation {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  /** Lid gap over pose-scaled eye width, 0 = shut; about 0.3 for an open eye. */
  readonly openness: number;
  /** How much of the eye the camera sees, 0–1 (an eye turned away has little weight). */
  readonly visibility: number;
}

/** What was measured of the one face that is tracked. */
export interface FaceMeasurement {
  /** Probability that the region holds a face, 0–1 (the mesh model's own flag). */
  readonly score: number;
  /** Head pose in degrees: yaw positive to image right, pitch positive up, roll positive clockwise in the picture. */
  readonly headYawDeg: number;
  readonly headPitchDeg: number;
  readonly headRollDeg: number;
  /** RMS residual of the rigid fit over inter-ocular distance, 0 = perfect; 0.03 is usual. */
  readonly fitResidual: number;
  readonly imageLeftEye: EyeObservation;
  readonly imageRightEye: EyeObservation;
  /** Distance of the two eyes' centres in camera pixels of the full frame. */
  readonly interOcularPx: number;
  /** Verdict of the seed's rule on this frame alone. */
  readonly seedDirection: Direction;
  /** Where to look for this face in the next frame, camera pixels of the full frame. */
  readonly nextRoi: FaceRoi;
}

/**
 * The narrow waist: everything left of it is vision, everything right of it is arithmetic over
 * time. Made in the inference container or on the device; never stored.
 */
export interface FaceObservation {
  /** Null when no face was found. */
  readonly face: FaceMeasurement | null;
  /** Number of faces seen: from the detector when it ran, else 1 or 0. */
  readonly faceCount: number;
  /** True when the detector ran (no usable hint, or the face was lost). */
  readonly detectorRan: boolean;
  /** Mean luma of the examined region, 0–1. */
  readonly brightness: number;
  /** Sharpness of the examined region, 0 (blurred or featureless) – 1. */
  readonly sharpness: number;
}

/** Bytes of an encoded observation. */
export const OBSERVATION_BYTES = 40;

const FLAG_FACE = 0b01;
const FLAG_DETECTOR = 0b10;
const ANGLE_STEPS_PER_DEG = 100;
const ROI_STEPS_PER_PX = 8;
const ROTATION_STEPS_PER_RAD = 10_000;

function clampRound(value: number, min: number, max: number): number {
  return Number.isFinite(value) ? Math.min(max, Math.max(min, Math.round(value))) : 0;
}

function setI16(view: DataView, offset: number, value: number): void {
  view.setInt16(offset, clampRound(value, -32_768, 32_767));
}

function setU16(view: DataView, offset: number, value: number): void {
  view.setUint16(offset, clampRound(value, 0, 65_535));
}

function setUnit(view: DataView, offset: number, value: number): void {
  view.setUint8(offset, clampRound(value * 255, 0, 255));
}

function encodeEye(view: DataView, offset: number, eye: EyeObservation): void {
  setI16(view, offset, eye.yawDeg * ANGLE_STEPS_PER_DEG);
  setI16(view, offset + 2, eye.pitchDeg * ANGLE_STEPS_PER_DEG);
  setU16(view, offset + 4, eye.openness * 1000);
  setUnit(view, offset + 6, eye.visibility);
}

function decodeEye(view: DataView, offset: number): EyeObservation {
  return {
    yawDeg: view.getInt16(offset) / ANGLE_STEPS_PER_DEG,
    pitchDeg: view.getInt16(offset + 2) / ANGLE_STEPS_PER_DEG,
    openness: view.getUint16(offset + 4) / 1000,
    visibility: view.getUint8(offset + 6) / 255,
  };
}

/** Writes a region of interest as 8 bytes: centre x, y (1/8 px), size (1/8 px), rotation (1e-4 rad). */
export function encodeRoi(view: DataView, offset: number, roi: FaceRoi): void {
  setI16(view, offset, roi.centerXPx * ROI_STEPS_PER_PX);
  setI16(view, offset + 2, roi.centerYPx * ROI_STEPS_PER_PX);
  setU16(view, offset + 4, roi.sizePx * ROI_STEPS_PER_PX);
  setI16(view, offset + 6, roi.rotationRad * ROTATION_STEPS_PER_RAD);
}

/** Reads what encodeRoi wrote. */
export function decodeRoi(view: DataView, offset: number): FaceRoi {
  return {
    centerXPx: view.getInt16(offset) / ROI_STEPS_PER_PX,
    centerYPx: view.getInt16(offset + 2) / ROI_STEPS_PER_PX,
    sizePx: view.getUint16(offset + 4) / ROI_STEPS_PER_PX,
    rotationRad: view.getInt16(offset + 6) / ROTATION_STEPS_PER_RAD,
  };
}

/**
 * Writes an observation as OBSERVATION_BYTES bytes at `offset`, big-endian. Values are rounded to
 * the wire's steps (0.01°, 1/8 px), so that both placements hand on exactly the same numbers.
 */
export function encodeObservation(view: DataView, offset: number, observation: FaceObservation): void {
  const { face } = observation;
  view.setUint8(offset, (face === null ? 0 : FLAG_FACE) | (observation.detectorRan ? FLAG_DETECTOR : 0));
  view.setUint8(offset + 1, clampRound(observation.faceCount, 0, 255));
  setUnit(view, offset + 30, observation.brightness);
  setUnit(view, offset + 31, observation.sharpness);
  if (face === null) return;
  setUnit(view, offset + 2, face.score);
  view.setUint8(offset + 3, directionToWire(face.seedDirection));
  setI16(view, offset + 4, face.headYawDeg * ANGLE_STEPS_PER_DEG);
  setI16(view, offset + 6, face.headPitchDeg * ANGLE_STEPS_PER_DEG);
  setI16(view, offset + 8, face.headRollDeg * ANGLE_STEPS_PER_DEG);
  setU16(view, offset + 10, face.fitResidual * 10_000);
  encodeEye(view, offset + 12, face.imageLeftEye);
  encodeEye(view, offset + 20, face.imageRightEye);
  setU16(view, offset + 28, face.interOcularPx * 10);
  encodeRoi(view, offset + 32, face.nextRoi);
}

/**
 * Reads an observation at `offset`. Throws RelayError `observation_truncated` when fewer than
 * OBSERVATION_BYTES bytes are left and `observation_invalid` for values no encoder writes.
 */
export function decodeObservation(view: DataView, offset: number): FaceObservation {
  if (view.byteLength - offset < OBSERVATION_BYTES) {
    throw new RelayError(
      'observation_truncated',
      `an observation has ${OBSERVATION_BYTES} bytes, ${view.byteLength - offset} are left`,
    );
  }
  const flags = view.getUint8(offset);
  const base = {
    faceCount: view.getUint8(offset + 1),
    detectorRan: (flags & FLAG_DETECTOR) !== 0,
    brightness: view.getUint8(offset + 30) / 255,
    sharpness: view.getUint8(offset + 31) / 255,
  };
  if ((flags & ~(FLAG_FACE | FLAG_DETECTOR)) !== 0) {
    throw new RelayError('observation_invalid', `unknown observation flags 0x${flags.toString(16)}`);
  }
  if ((flags & FLAG_FACE) === 0) return { face: null, ...base };
  const seedDirection = directionFromWire(view.getUint8(offset + 3));
  if (seedDirection === null) {
    throw new RelayError('observation_invalid', `unknown direction ${view.getUint8(offset + 3)}`);
  }
  return {
    face: {
      score: view.getUint8(offset + 2) / 255,
      headYawDeg: view.getInt16(offset + 4) / ANGLE_STEPS_PER_DEG,
      headPitchDeg: view.getInt16(offset + 6) / ANGLE_STEPS_PER_DEG,
      headRollDeg: view.getInt16(offset + 8) / ANGLE_STEPS_PER_DEG,
      fitResidual: view.getUint16(offset + 10) / 10_000,
      imageLeftEye: decodeEye(view, offset + 12),
      imageRightEye: decodeEye(view, offset + 20),
      interOcularPx: view.getUint16(offset + 28) / 10,
      seedDirection,
      nextRoi: decodeRoi(view, offset + 32),
    },
    ...base,
  };
}
