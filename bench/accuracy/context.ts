import { distanceCmOf } from '../../shared/focus/screen-setup.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { DEFAULT_SETUP, uncalibratedScreenOf } from '../../shared/vision/screen.ts';
import { DEFAULT_CONTEXT, type VerdictContext } from '../../shared/vision/verdict.ts';

/**
 * What a single picture of a stranger is judged by: a laptop's screen at the distance at which the face is seen, as in the first
 * moment of a session. `camera` is the full frame's size.
 */
export function strangerContext({ face }: FaceObservation, camera: FrameSize): VerdictContext {
  if (face === null) return DEFAULT_CONTEXT;
  const setup = { ...DEFAULT_SETUP, distanceCm: distanceCmOf(face, camera) };
  return { ...DEFAULT_CONTEXT, screen: uncalibratedScreenOf(setup) };
}
