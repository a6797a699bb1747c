import { type Direction, directionFromWire, directionToWire } from './direction.ts';
import { RelayError } from './errors.ts';
import type { FaceRoi } from './geometry.ts';
import { PICTURE_FAULTS, type PictureFault } from './vision/picture-fault.ts';

/** One eye. Angles are eye-in-head, degrees: yaw positive to image right, pitch positive up. */
export interface EyeObservation {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  /** Lid gap over pose-scaled eye width, 0 = shut; about 0.3 for an open eye. */
  readonly openness: number;
  /** How much of the eye the camera sees, 0–1 (an eye turned away has little weight, a covered one none). */
  readonly visibility: number;
  /** Probability that the lid is shut by what the pixels show, 0–1; left out where they were not judged. */
  readonly shut?: number;
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
  /** Number of faces that are sure. Others than the one that is followed are looked for only where `detectorRan`. */
  readonly faceCount: number;
  /** True when the detector ran: no usable hint, the face was lost, or the faces were to be counted. */
  readonly detectorRan: boolean;
  /** Mean luma of the examined region, 0–1. */
  readonly brightness: number;
  /** Sharpness of the examined region, 0 (blurred or featureless) – 1. */
  readonly sharpness: number;
  /** Why a picture without a face says nothing about the student; left out where it does. */
  readonly fault?: PictureFault;
}

/** Bytes of an encoded region of interest. */
export const ROI_BYTES = 8;
/** Offsets of its fields. */
const ROI_X_OFFSET = 0;
const ROI_Y_OFFSET = 2;
const ROI_SIZE_OFFSET = 4;
const ROI_ROTATION_OFFSET = 6;
/** Offsets of an eye's fields. */
const EYE_YAW_OFFSET = 0;
const EYE_PITCH_OFFSET = 2;
const EYE_OPENNESS_OFFSET = 4;
const EYE_VISIBILITY_OFFSET = 6;
/** 0: not judged; else 1 to 255 for 0 to 1. */
const EYE_SHUT_OFFSET = 7;
const SHUT_STEPS = 254;
/** Offsets of an observation's fields (PROTOCOL.md, FaceObservation). */
const FLAGS_OFFSET = 0;
const FACE_COUNT_OFFSET = 1;
const SCORE_OFFSET = 2;
/** In the place of the score, which is not read without a face. */
const FAULT_OFFSET = 2;
const SEED_DIRECTION_OFFSET = 3;
const HEAD_YAW_OFFSET = 4;
const HEAD_PITCH_OFFSET = 6;
const HEAD_ROLL_OFFSET = 8;
const FIT_RESIDUAL_OFFSET = 10;
const IMAGE_LEFT_EYE_OFFSET = 12;
const IMAGE_RIGHT_EYE_OFFSET = 20;
const INTER_OCULAR_OFFSET = 28;
const BRIGHTNESS_OFFSET = 30;
const SHARPNESS_OFFSET = 31;
const NEXT_ROI_OFFSET = 32;
/** Bytes of an encoded observation. */
export const OBSERVATION_BYTES = NEXT_ROI_OFFSET + ROI_BYTES;

const FLAG_FACE = 0b01;
const FLAG_DETECTOR = 0b10;
const ANGLE_STEPS_PER_DEG = 100;
const OPENNESS_STEPS = 1000;
const RESIDUAL_STEPS = 10_000;
const INTER_OCULAR_STEPS_PER_PX = 10;
const UNIT_STEPS = 255;
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
  view.setUint8(offset, clampRound(value * UNIT_STEPS, 0, UNIT_STEPS));
}

function encodeEye(view: DataView, offset: number, eye: EyeObservation): void {
  setI16(view, offset + EYE_YAW_OFFSET, eye.yawDeg * ANGLE_STEPS_PER_DEG);
  setI16(view, offset + EYE_PITCH_OFFSET, eye.pitchDeg * ANGLE_STEPS_PER_DEG);
  setU16(view, offset + EYE_OPENNESS_OFFSET, eye.openness * OPENNESS_STEPS);
  setUnit(view, offset + EYE_VISIBILITY_OFFSET, eye.visibility);
  // What is not a number is written as 0.
  view.setUint8(offset + EYE_SHUT_OFFSET, clampRound(1 + (eye.shut ?? Number.NaN) * SHUT_STEPS, 1, 1 + SHUT_STEPS));
}

function decodeEye(view: DataView, offset: number): EyeObservation {
  const shut = view.getUint8(offset + EYE_SHUT_OFFSET);
  return {
    yawDeg: view.getInt16(offset + EYE_YAW_OFFSET) / ANGLE_STEPS_PER_DEG,
    pitchDeg: view.getInt16(offset + EYE_PITCH_OFFSET) / ANGLE_STEPS_PER_DEG,
    openness: view.getUint16(offset + EYE_OPENNESS_OFFSET) / OPENNESS_STEPS,
    visibility: view.getUint8(offset + EYE_VISIBILITY_OFFSET) / UNIT_STEPS,
    ...(shut === 0 ? {} : { shut: (shut - 1) / SHUT_STEPS }),
  };
}

/** Writes a region of interest as 8 bytes: centre x, y (1/8 px), size (1/8 px), rotation (1e-4 rad). */
export function encodeRoi(view: DataView, offset: number, roi: FaceRoi): void {
  setI16(view, offset + ROI_X_OFFSET, roi.centerXPx * ROI_STEPS_PER_PX);
  setI16(view, offset + ROI_Y_OFFSET, roi.centerYPx * ROI_STEPS_PER_PX);
  setU16(view, offset + ROI_SIZE_OFFSET, roi.sizePx * ROI_STEPS_PER_PX);
  setI16(view, offset + ROI_ROTATION_OFFSET, roi.rotationRad * ROTATION_STEPS_PER_RAD);
}

/** Reads what encodeRoi wrote. */
export function decodeRoi(view: DataView, offset: number): FaceRoi {
  return {
    centerXPx: view.getInt16(offset + ROI_X_OFFSET) / ROI_STEPS_PER_PX,
    centerYPx: view.getInt16(offset + ROI_Y_OFFSET) / ROI_STEPS_PER_PX,
    sizePx: view.getUint16(offset + ROI_SIZE_OFFSET) / ROI_STEPS_PER_PX,
    rotationRad: view.getInt16(offset + ROI_ROTATION_OFFSET) / ROTATION_STEPS_PER_RAD,
  };
}

/**
 * Writes an observation as OBSERVATION_BYTES bytes at `offset`, big-endian. Values are rounded to
 * the wire's steps (0.01°, 1/8 px), so that both placements hand on exactly the same numbers.
 */
export function encodeObservation(view: DataView, offset: number, observation: FaceObservation): void {
  const { face } = observation;
  view.setUint8(offset + FLAGS_OFFSET, (face === null ? 0 : FLAG_FACE) | (observation.detectorRan ? FLAG_DETECTOR : 0));
  view.setUint8(offset + FACE_COUNT_OFFSET, clampRound(observation.faceCount, 0, 255));
  setUnit(view, offset + BRIGHTNESS_OFFSET, observation.brightness);
  setUnit(view, offset + SHARPNESS_OFFSET, observation.sharpness);
  if (face === null) {
    // No fault has the place −1.
    view.setUint8(offset + FAULT_OFFSET, 1 + PICTURE_FAULTS.indexOf(observation.fault as PictureFault));
    return;
  }
  setUnit(view, offset + SCORE_OFFSET, face.score);
  view.setUint8(offset + SEED_DIRECTION_OFFSET, directionToWire(face.seedDirection));
  setI16(view, offset + HEAD_YAW_OFFSET, face.headYawDeg * ANGLE_STEPS_PER_DEG);
  setI16(view, offset + HEAD_PITCH_OFFSET, face.headPitchDeg * ANGLE_STEPS_PER_DEG);
  setI16(view, offset + HEAD_ROLL_OFFSET, face.headRollDeg * ANGLE_STEPS_PER_DEG);
  setU16(view, offset + FIT_RESIDUAL_OFFSET, face.fitResidual * RESIDUAL_STEPS);
  encodeEye(view, offset + IMAGE_LEFT_EYE_OFFSET, face.imageLeftEye);
  encodeEye(view, offset + IMAGE_RIGHT_EYE_OFFSET, face.imageRightEye);
  setU16(view, offset + INTER_OCULAR_OFFSET, face.interOcularPx * INTER_OCULAR_STEPS_PER_PX);
  encodeRoi(view, offset + NEXT_ROI_OFFSET, face.nextRoi);
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
  const flags = view.getUint8(offset + FLAGS_OFFSET);
  const base = {
    faceCount: view.getUint8(offset + FACE_COUNT_OFFSET),
    detectorRan: (flags & FLAG_DETECTOR) !== 0,
    brightness: view.getUint8(offset + BRIGHTNESS_OFFSET) / UNIT_STEPS,
    sharpness: view.getUint8(offset + SHARPNESS_OFFSET) / UNIT_STEPS,
  };
  if ((flags & ~(FLAG_FACE | FLAG_DETECTOR)) !== 0) {
    throw new RelayError('observation_invalid', `unknown observation flags 0x${flags.toString(16)}`);
  }
  if ((flags & FLAG_FACE) === 0) {
    // A number that a later version writes stands for a fault that this one does not know: none.
    const fault = PICTURE_FAULTS[view.getUint8(offset + FAULT_OFFSET) - 1];
    return { face: null, ...base, ...(fault === undefined ? {} : { fault }) };
  }
  const seedDirection = directionFromWire(view.getUint8(offset + SEED_DIRECTION_OFFSET));
  if (seedDirection === null) {
    throw new RelayError('observation_invalid', `unknown direction ${view.getUint8(offset + SEED_DIRECTION_OFFSET)}`);
  }
  return {
    face: {
      score: view.getUint8(offset + SCORE_OFFSET) / UNIT_STEPS,
      headYawDeg: view.getInt16(offset + HEAD_YAW_OFFSET) / ANGLE_STEPS_PER_DEG,
      headPitchDeg: view.getInt16(offset + HEAD_PITCH_OFFSET) / ANGLE_STEPS_PER_DEG,
      headRollDeg: view.getInt16(offset + HEAD_ROLL_OFFSET) / ANGLE_STEPS_PER_DEG,
      fitResidual: view.getUint16(offset + FIT_RESIDUAL_OFFSET) / RESIDUAL_STEPS,
      imageLeftEye: decodeEye(view, offset + IMAGE_LEFT_EYE_OFFSET),
      imageRightEye: decodeEye(view, offset + IMAGE_RIGHT_EYE_OFFSET),
      interOcularPx: view.getUint16(offset + INTER_OCULAR_OFFSET) / INTER_OCULAR_STEPS_PER_PX,
      seedDirection,
      nextRoi: decodeRoi(view, offset + NEXT_ROI_OFFSET),
    },
    ...base,
  };
}
