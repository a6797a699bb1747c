import type { Locate } from '../../shared/vision/locate.ts';

/** Engines that can be asked for by name. */
export const ENGINE_NAMES = ['onnx', 'onnx-web', 'tfjs'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/**
 * Finds one face and its landmarks in a picture. Keeps nothing from one call to the next: the same
 * arguments give the same result, bit for bit, whatever was asked before. Not reentrant: the owner
 * awaits each call before the next.
 */
export interface FaceEngine {
  readonly name: EngineName;
  /** Why it is this one and not the one asked for; null when it is. */
  readonly fallback: string | null;
  readonly locate: Locate;
  close(): Promise<void>;
}
