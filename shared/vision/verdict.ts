import type { Direction, UnknownReason } from '../direction.ts';
import type { FaceMeasurement, FaceObservation } from '../observation.ts';
import { type Gaze, type GazeCorrection, gazeOf, NO_CORRECTION } from './gaze.ts';
import type { ImageQuality } from './image.ts';
import { ramp } from './linear.ts';
import { DEFAULT_SCREEN, placeOnScreen, type ScreenRegion } from './screen.ts';

/** What one frame says. `gaze` is null where none was measured well enough. */
export interface Verdict {
  readonly direction: Direction;
  /** 0–1; 0 for unknown. */
  readonly confidence: number;
  readonly gaze: Gaze | null;
  /** Why the direction is unknown, where that is known. */
  readonly reason?: UnknownReason;
}

/** What is known of the student and of the moment before. */
export interface VerdictContext {
  readonly screen: ScreenRegion;
  readonly correction: GazeCorrection;
  /** How wide this student's eyes are open as a rule, over the usual (opennessShare); left out: as usual. */
  readonly openShare?: number;
  /** The direction that holds; its limits are a little wider than those of the others. Null at the start. */
  readonly held: Direction | null;
}

export const DEFAULT_CONTEXT: VerdictContext = { screen: DEFAULT_SCREEN, correction: NO_CORRECTION, held: null };

/** Below these, or above for the residual, a frame says nothing. */
const MIN_SCORE = 0.5;
const MIN_INTER_OCULAR_PX = 15;
const MIN_BRIGHTNESS = 0.05;
const MAX_RESIDUAL = 0.15;
/** Sharp pictures blurred step by step: the gaze wanders from a sharpness of 0.05 on and is lost below 0.01. */
const MIN_SHARPNESS = 0.008;
/** From here on a frame is as good as any. */
const GOOD_SCORE = 0.9;
const GOOD_INTER_OCULAR_PX = 35;
const GOOD_BRIGHTNESS = 0.2;
const GOOD_RESIDUAL = 0.05;
const GOOD_SHARPNESS = 0.05;

/**
 * Openness below which eyes are shut whose pixels were not judged. In clips of four people shut eyes have an openness up to 0.06;
 * eyes that look down between lowered lids, or are caught in a blink, 0.09 to 0.15 (down to 22 px between the eyes). That shut
 * eyes seem to converge does not help: compression makes open eyes do so too.
 */
const CLOSED_OPENNESS = 0.1;
/**
 * Where pixels were judged, the limit rises from the one to the other between these probabilities of a shut lid. Set on rendered
 * heads that the network had not seen and on clips of four people, whole and as pages send them: 93 to 95 in 100 shut eyes at 0.2
 * false alarms.
 */
const CLOSED_BY_PIXELS = { open: 0.07, shut: 0.34 } as const;
const SHUT_BY_PIXELS = { from: 0.3, to: 0.85 } as const;
/** How well an eye must be seen for its place, or its being open, to count by itself. */
const WELL_SEEN = 0.5;
/** An eye this many times as open as the limit is open, whatever the other one does: a wink is no sleep. */
const CLEARLY_OPEN = 1.6;
/** Seen from the side or with the head bowed, open eyes look shut: the limit falls by these shares over these angles. */
const SIDE_VIEW = { fromDeg: 25, toDeg: 40, share: 0.4 } as const;
const BOWED = { fromDeg: 8, toDeg: 25, share: 0.35 } as const;
/** A head turned further than this from the screen is turned away, wherever the eyes seem to look. */
const TURNED_YAW_DEG = 32;
/** A head that nods further than this is bowed or thrown back: the mesh makes its eyes up, and the head decides. */
const NODDED_PITCH_DEG = 40;
/**
 * Eyes are seldom turned further in the head than this: their customary range is some 44° in all (J. S. Stahl,
 * "Amplitude of human head movements associated with horizontal saccades", Exp. Brain Res. 126 (1999)). A head
 * turned so far that they would have to be is off the screen, whatever is made out of half-hidden eyes.
 */
const EYES_COME_BACK_DEG = 25;
/**
 * Power of the superellipse that the screen's region is: nearly a rectangle, as a screen is. People's looks at the corners of their
 * screens, as pages send them, are lost with more rounding.
 */
const CORNERS = 8;
/** Widening of the limits that the held direction enjoys, as a share. */
const HYSTERESIS = 0.08;
/** With less of the eyes to be seen (sum of both), only a head that is turned away says anything. */
const HIDDEN_EYES = 0.25;
/** Eyes read this far apart in yaw are usual, and this far apart contradict each other, degrees. */
const EYES_DIFFER_DEG = 15;
const EYES_CONTRADICT_DEG = 40;
/** A detector that sees no face is now and then wrong. */
const NO_FACE_CONFIDENCE = 0.8;

/** How far a frame can be trusted, 0 (not at all) – 1. */
export function qualityOf(face: FaceMeasurement, picture: ImageQuality): number {
  const parts = [
    ramp(face.score, MIN_SCORE, GOOD_SCORE),
    ramp(face.interOcularPx, MIN_INTER_OCULAR_PX, GOOD_INTER_OCULAR_PX),
    ramp(picture.brightness, MIN_BRIGHTNESS, GOOD_BRIGHTNESS),
    ramp(picture.sharpness, MIN_SHARPNESS, GOOD_SHARPNESS),
    ramp(face.fitResidual, MAX_RESIDUAL, GOOD_RESIDUAL),
  ];
  return parts.some((part) => part === 0) ? 0 : Math.min(...parts.map((part) => 0.4 + 0.6 * part));
}

/** Mean openness of the eyes, weighted by how well each is seen; null when neither is. */
export function opennessOfFace(face: FaceMeasurement): number | null {
  const { imageLeftEye: left, imageRightEye: right } = face;
  const sum = left.visibility + right.visibility;
  return sum < 0.2 ? null : (left.openness * left.visibility + right.openness * right.visibility) / sum;
}

/** Openness below which an eye is shut whose pixels give its lid that probability of being shut. */
function levelByPixels(shut: number): number {
  const { open, shut: most } = CLOSED_BY_PIXELS;
  return open + (most - open) * ramp(shut, SHUT_BY_PIXELS.from, SHUT_BY_PIXELS.to);
}

/** Openness below which eyes seen from the front are shut, by their pixels, or by the mesh where those were not judged. */
function closedLevelOf({ imageLeftEye: left, imageRightEye: right }: FaceMeasurement): number {
  if (left.shut !== undefined && right.shut !== undefined) {
    return levelByPixels(
      (left.shut * left.visibility + right.shut * right.visibility) / (left.visibility + right.visibility),
    );
  }
  return CLOSED_OPENNESS;
}

/** Openness below which the eyes of this face are shut; `openShare` as opennessShare has it. */
function closedLimitOf(face: FaceMeasurement, openShare: number): number {
  const level = closedLevelOf(face) * openShare;
  const turned = ramp(Math.abs(face.headYawDeg), SIDE_VIEW.fromDeg, SIDE_VIEW.toDeg);
  const bowed = ramp(-face.headPitchDeg, BOWED.fromDeg, BOWED.toDeg);
  return level * (1 - SIDE_VIEW.share * turned) * (1 - BOWED.share * bowed);
}

/** True for a head that is turned so far that its eyes say little. */
export function isTurnedAway(face: FaceMeasurement): boolean {
  return Math.abs(face.headYawDeg) > TURNED_YAW_DEG;
}

/** The direction of the axis that leaves the screen furthest. */
function axisBeyond(across: number, up: number): Direction {
  if (Math.abs(across) >= Math.abs(up)) return across < 0 ? 'looking_left' : 'looking_right';
  return up < 0 ? 'looking_down' : 'looking_up';
}

/**
 * One frame's verdict by the geometric rule: no face, unknown where the frame is too poor, eyes closed,
 * then where the gaze leaves the screen, whose corners are a little rounded: the axis on which it leaves furthest.
 * A head that is turned away is `looking_left` or `looking_right` as long as the gaze is off the screen on
 * that side, by the head alone where no eye is seen, and `face_turned` when the eyes seem to come back: as
 * in the seed's rule, where they look comes before how the head is turned. A head towards the screen whose
 * eyes are hidden is unknown, not focused. No single frame is `distracted`; smoothing.ts says when it is.
 */
export function verdictOf(observation: FaceObservation, context: VerdictContext = DEFAULT_CONTEXT): Verdict {
  const { face, brightness, fault } = observation;
  if (face === null) {
    if (fault !== undefined) return { direction: 'unknown', confidence: 0, gaze: null, reason: fault };
    return brightness < MIN_BRIGHTNESS
      ? { direction: 'unknown', confidence: 0, gaze: null }
      : { direction: 'no_face', confidence: NO_FACE_CONFIDENCE, gaze: null };
  }
  const quality = qualityOf(face, observation);
  if (quality === 0) return { direction: 'unknown', confidence: 0, gaze: null };
  const slack = (direction: Direction): number => {
    if (context.held === null) return 1;
    return context.held === direction ? 1 + HYSTERESIS : 1 - HYSTERESIS;
  };
  const { screen, correction } = context;
  const asideDeg = face.headYawDeg + correction.placeYawDeg - screen.centerYawDeg;
  const turned = Math.abs(asideDeg) / (TURNED_YAW_DEG / slack('face_turned'));
  const nodded = Math.abs(face.headPitchDeg) / NODDED_PITCH_DEG;
  if (nodded > 1 && nodded > turned) {
    const direction = axisBeyond(0, face.headPitchDeg);
    return { direction, confidence: quality * (0.5 + ramp(nodded, 1, 1.5) / 2), gaze: null };
  }

  const openness = opennessOfFace(face);
  const closedLimit = closedLimitOf(face, context.openShare ?? 1) * slack('eyes_closed');
  const isOneOpen = [face.imageLeftEye, face.imageRightEye].some((eye) => {
    const limit = eye.shut === undefined ? closedLimit : levelByPixels(eye.shut);
    return eye.visibility >= WELL_SEEN && eye.openness > limit * CLEARLY_OPEN;
  });
  if (openness !== null && openness < closedLimit && !isOneOpen) {
    return { direction: 'eyes_closed', confidence: quality * (0.5 + ramp(openness, closedLimit, 0) / 2), gaze: null };
  }

  const gaze = gazeOf(face, context.correction);
  const place = placeOnScreen(context.screen, gaze.yawDeg, gaze.pitchDeg);
  const room = slack('centered');
  const [across, up] = [place.across / room, place.up / room];
  if (turned > 1) {
    const side = Math.sign(asideDeg);
    const atLeast = (Math.abs(asideDeg) - EYES_COME_BACK_DEG) / screen.halfWidthDeg;
    const direction = Math.max(side * across, atLeast) > 1 ? axisBeyond(side, 0) : 'face_turned';
    return { direction, confidence: quality * (0.5 + ramp(turned, 1, 1.5) / 2), gaze };
  }
  if (face.imageLeftEye.visibility + face.imageRightEye.visibility < HIDDEN_EYES) {
    return { direction: 'unknown', confidence: 0, gaze: null, reason: 'eyes_hidden' };
  }

  const reach = (across ** CORNERS + up ** CORNERS) ** (1 / CORNERS);
  const sureness = 0.4 + 0.6 * ramp(Math.abs(reach - 1), 0, 0.5);
  const agreement = 1 - 0.5 * ramp(gaze.eyeDifferenceDeg ?? 0, EYES_DIFFER_DEG, EYES_CONTRADICT_DEG);
  const eyes = (0.6 + 0.4 * gaze.eyeWeight) * agreement;
  const direction = reach > 1 ? axisBeyond(across, up) : 'centered';
  if (direction === 'centered' && gaze.eyeWeight < HIDDEN_EYES) {
    return { direction: 'unknown', confidence: 0, gaze: null };
  }
  return { direction, confidence: quality * sureness * eyes, gaze };
}
