import { eyeSeen, faceAtScreen, NO_FACE } from '../../../harness/observations.ts';
import type { Direction } from '../../../shared/direction.ts';
import type { FocusSample } from '../../../shared/focus/focus.ts';
import type { FaceMeasurement, FaceObservation } from '../../../shared/observation.ts';

export type Look = Exclude<Direction, 'unknown' | 'distracted'> | 'frozen' | 'dark';

function bothEyes(yawDeg: number, pitchDeg: number, openness?: number): Partial<FaceMeasurement> {
  const eye = eyeSeen(yawDeg, pitchDeg, openness);
  return { imageLeftEye: eye, imageRightEye: eye };
}

/** What a camera gives of a student who does `look`; null for a frozen picture. */
export function observationOf(look: Look): FaceObservation | null {
  switch (look) {
    case 'centered':
      return faceAtScreen();
    case 'looking_left':
      return faceAtScreen({ ...bothEyes(-35, 0), seedDirection: look });
    case 'looking_right':
      return faceAtScreen({ ...bothEyes(35, 0), seedDirection: look });
    case 'looking_up':
      return faceAtScreen({ headPitchDeg: 18, ...bothEyes(0, 15), seedDirection: look });
    case 'looking_down':
      return faceAtScreen({ headPitchDeg: -32, ...bothEyes(0, -10), seedDirection: look });
    case 'face_turned':
      return faceAtScreen({ headYawDeg: 36, ...bothEyes(-32, 0), seedDirection: look });
    case 'eyes_closed':
      return faceAtScreen({ ...bothEyes(0, 0, 0.02), seedDirection: look });
    case 'no_face':
      return NO_FACE;
    case 'dark':
      return { ...NO_FACE, brightness: 0.01 };
    case 'frozen':
      return null;
  }
}

/** A student's behaviour as stretches of time, one after the other. */
export type Signal = readonly { readonly look: Look; readonly ms: number }[];

export function lengthOf(signal: Signal): number {
  return signal.reduce((sum, { ms }) => sum + ms, 0);
}

/** Samples of a signal at the given times, which are in order. */
export function sampleAt(signal: Signal, timesMs: readonly number[]): FocusSample[] {
  let part = 0;
  let partEndMs = signal[0]?.ms ?? 0;
  return timesMs.map((atMs) => {
    while (atMs > partEndMs && part < signal.length - 1) {
      part++;
      partEndMs += signal[part]?.ms ?? 0;
    }
    return { atMs, observation: observationOf(signal[part]?.look ?? 'no_face') };
  });
}

/**
 * Sampling times up to `endMs` at `fps`, each step up to `jitter` (a share) longer or shorter; `noise`
 * gives numbers in 0–1 and is gone through again and again.
 */
export function timesOf(endMs: number, fps: number, jitter = 0, noise: readonly number[] = [0.5]): number[] {
  const times: number[] = [];
  let at = 0;
  for (let i = 0; ; i++) {
    const random = noise[i % noise.length] ?? 0.5;
    at += (1000 / fps) * (1 + jitter * (2 * random - 1));
    if (at > endMs) return times;
    times.push(Math.round(at));
  }
}
