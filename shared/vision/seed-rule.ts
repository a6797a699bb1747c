import type { Direction } from '../direction.ts';
import type { FrameSize } from '../geometry.ts';

const LEFT = { start: 33, end: 133, iris: 468, upper: 159, lower: 145 };
const RIGHT = { start: 362, end: 263, iris: 473, upper: 386, lower: 374 };
const NOSE = 1;
const MIN_EYE_WIDTH = 0.01;
const MIN_LID_GAP = 0.005;
const LOW = 0.3;
const HIGH = 0.7;
const MAX_NOSE_OFFSET = 0.15;
const MAX_EYE_DIFFERENCE = 0.3;

/**
 * The rule of the service this product replaces, on one frame: iris place between the eye's corners
 * and lids, in coordinates normalised by the frame's width and height, with its thresholds and its
 * order as they were. `landmarks`: 478 × (x, y, z) camera pixels of the full frame. Sides are image
 * sides. Returns centered, looking_*, face_turned, eyes_closed or distracted.
 */
export function seedDirectionOf(landmarks: Float32Array, frame: FrameSize): Direction {
  const x = (index: number): number => (landmarks[index * 3] ?? 0) / frame.widthPx;
  const y = (index: number): number => (landmarks[index * 3 + 1] ?? 0) / frame.heightPx;
  const [left, right] = [LEFT, RIGHT].map((eye) => {
    const width = Math.abs(x(eye.start) - x(eye.end));
    const gap = Math.abs(y(eye.upper) - y(eye.lower));
    return {
      closed: width < MIN_EYE_WIDTH || gap < MIN_LID_GAP,
      across: (x(eye.iris) - x(eye.start)) / width,
      down: (y(eye.iris) - y(eye.upper)) / gap,
    };
  });
  if (left === undefined || right === undefined || left.closed || right.closed) return 'eyes_closed';

  const isInside = (ratio: number): boolean => ratio > LOW && ratio < HIGH;
  const eyeLine = Math.abs(x(LEFT.start) - x(RIGHT.end));
  const noseOffset = Math.abs(x(NOSE) - (x(LEFT.start) + x(RIGHT.end)) / 2) / eyeLine;
  const isStraight = noseOffset < MAX_NOSE_OFFSET;
  const areInside = [left, right].every((eye) => isInside(eye.across) && isInside(eye.down));
  if (areInside && isStraight && Math.abs(left.across - right.across) < MAX_EYE_DIFFERENCE) return 'centered';
  if (left.across < LOW) return 'looking_left';
  if (left.across > HIGH) return 'looking_right';
  if (left.down < LOW) return 'looking_up';
  if (left.down > HIGH) return 'looking_down';
  return isStraight ? 'distracted' : 'face_turned';
}
