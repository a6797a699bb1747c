/**
 * Directions and states a student can be in, in the vocabulary that EyeLearn's pages already use.
 * Sides are image sides, as the seed has them. The numbers are wire values: never reuse one.
 */
export const DIRECTIONS = [
  'centered',
  'looking_left',
  'looking_right',
  'looking_up',
  'looking_down',
  'face_turned',
  'eyes_closed',
  'no_face',
  'distracted',
  'unknown',
] as const;

export type Direction = (typeof DIRECTIONS)[number];

/** Wire value of a direction, 0–9. */
export function directionToWire(direction: Direction): number {
  return DIRECTIONS.indexOf(direction);
}

/** Direction of a wire value, or null if there is none. */
export function directionFromWire(value: number): Direction | null {
  return DIRECTIONS[value] ?? null;
}

/** Why a direction is unknown, where that is known. The order is the wire value, from 1 on: never change it. */
export const UNKNOWN_REASONS = ['camera_covered', 'too_dark', 'overexposed', 'eyes_hidden'] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** Kinds of time. Every millisecond of a session is exactly one of these. */
export const FOCUS_STATES = ['focused', 'unfocused', 'unknown', 'untracked'] as const;

export type FocusState = (typeof FOCUS_STATES)[number];

/** Where observations are made: in the inference container or on the student's device. */
export const MODES = ['server', 'device'] as const;
export type Mode = (typeof MODES)[number];

/** How an observation becomes a state: our geometric rule, or the seed's rule as it was. */
export const RULES = ['geometric', 'seed'] as const;
export type Rule = (typeof RULES)[number];
