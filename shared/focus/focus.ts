import type { Direction, FocusState, Rule, UnknownReason } from '../direction.ts';
import type { FaceObservation } from '../observation.ts';

/** Whole milliseconds by kind of time, and by direction for the tracked part. Never decreasing. */
export interface FocusTotals {
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly unknownMs: number;
  readonly untrackedMs: number;
  readonly directionMs: Readonly<Partial<Record<Direction, number>>>;
  readonly focusBouts: number;
  readonly unfocusBouts: number;
}

/** A closed bout on the capture clock (ms since the session's start). */
export interface CaptureBout {
  readonly kind: 'focused' | 'unfocused';
  readonly startMs: number;
  readonly durationMs: number;
}

/** One reading of the student at one moment of the capture clock. */
export interface FocusSample {
  /** Capture time, whole ms since the session's start. Samples that do not move forward are ignored. */
  readonly atMs: number;
  /** Null: the camera gives nothing usable (frozen picture): unknown. */
  readonly observation: FaceObservation | null;
}

/** What is shown to the student now. */
export interface FocusReading {
  readonly state: FocusState;
  readonly direction: Direction;
  /** 0–1. */
  readonly confidence: number;
  /** Why the direction is unknown, where that is known. */
  readonly reason?: UnknownReason;
}

export type { Rule };
