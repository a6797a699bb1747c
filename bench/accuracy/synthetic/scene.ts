import type { Mat3 } from '../../../shared/vision/linear.ts';

/** Size of every rendered frame. */
export const FRAME = { widthPx: 640, heightPx: 480 } as const;

export const LIGHTS = ['front', 'side', 'hardSide'] as const;
export type Light = (typeof LIGHTS)[number];

/** One picture of the rigged head, in numbers. Angles in degrees as everywhere: yaw to image right, pitch up, roll clockwise. */
export interface Scene {
  /** From camera to head, cm. */
  readonly distanceCm: number;
  /** Where the face is in the frame, shares of half its width and height: −1 left, 1 right; −1 bottom, 1 top. */
  readonly across: number;
  readonly up: number;
  /** Against the line from face to camera. */
  readonly headYawDeg: number;
  readonly headPitchDeg: number;
  readonly headRollDeg: number;
  /** Eyes in the head. */
  readonly eyeYawDeg: number;
  readonly eyePitchDeg: number;
  /** How far the lids are shut by will, 0–1; they follow vertical gaze besides. */
  readonly blink: number;
  /** How much the lids follow vertical gaze: 1 as modelled. */
  readonly lidFollow: number;
  /** How far the lids hang while the eye is open, 0–1 of a blink: people differ. */
  readonly squint: number;
  /** Factors on the head's width and height: other faces, as far as one head can give them. */
  readonly headWidth: number;
  readonly headHeight: number;
  readonly light: Light;
  /** The side the light comes from. */
  readonly lightFrom: 'left' | 'right';
  /** Factor on all light. */
  readonly exposure: number;
  /** Factor on the skin's colour. */
  readonly skin: number;
  /** Dark-rimmed glasses. */
  readonly glasses: boolean;
  readonly diagonalFovDeg: number;
  /** Standard deviation of the sensor's noise, of 255. */
  readonly noise: number;
  readonly noiseSeed: number;
}

/** What the page that renders needs: the scene with the head's place and rotation worked out (camera frame, metres). */
export interface RenderJob extends Scene {
  readonly place: readonly [number, number, number];
  readonly rotation: Mat3;
}
