import type { Direction, Mode, Rule } from './direction.ts';

/**
 * Why a device's observations cannot come from a live camera: one value, two in turn, a stretch played again, or one of an earlier
 * session of the student.
 */
export const SUSPECTS = ['constant', 'alternating', 'repeating', 'replayed'] as const;
export type Suspect = (typeof SUSPECTS)[number];

/** An uninterrupted stretch of one state. Times are wall-clock UTC milliseconds. */
export interface Bout {
  readonly kind: 'focused' | 'unfocused';
  readonly startedAtMs: number;
  readonly durationMs: number;
}

/** Times beside the four kinds of time, which they belong to none of, or to all, whole ms. */
export interface SideTimes {
  /** Pauses that ended in the window, by their reason: they are no time of any kind. */
  readonly pausedHiddenMs: number;
  readonly pausedStudentMs: number;
  readonly pausedCameraMs: number;
  /** Part of the tracked time in which more than one face was seen. */
  readonly secondFaceMs: number;
}

export const NO_SIDE_TIMES: SideTimes = { pausedHiddenMs: 0, pausedStudentMs: 0, pausedCameraMs: 0, secondFaceMs: 0 };

/**
 * What happened in one stretch (at most about 30 s) of one session: deltas, never totals. The key
 * (sessionId, epoch, seq) makes it count once however often it is delivered. All durations are
 * whole milliseconds, and focused + unfocused + unknown + untracked is the time the window covers.
 */
export interface MetricsWindow extends SideTimes {
  /** UUID of the tracking session. */
  readonly sessionId: string;
  /** 0 for the first connection of the session, one more for each resume. */
  readonly epoch: number;
  /** 0, 1, 2, … within the epoch. */
  readonly seq: number;
  readonly userId: number;
  readonly moduleId: number;
  /** Lesson section, or null when none is known. */
  readonly sectionId: number | null;
  /** Start of the session and of this window, end of this window: UTC milliseconds. */
  readonly sessionStartedAtMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly unknownMs: number;
  readonly untrackedMs: number;
  /** Tracked time (focused + unfocused + unknown) by direction; absent keys are 0. */
  readonly directionMs: Readonly<Partial<Record<Direction, number>>>;
  readonly bouts: readonly Bout[];
  readonly framesReceived: number;
  readonly framesProcessed: number;
  readonly framesDropped: number;
  readonly framesWithFace: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Sum over processed frames of the gateway's own time from receipt to update, ms. */
  readonly gatewayMsSum: number;
  /** Part of the window's time whose messages came late, after an outage, ms. */
  readonly lateMs: number;
  /** Set from the moment at which the session's observations are found implausible; null otherwise. */
  readonly suspect: Suspect | null;
  readonly mode: Mode;
  readonly rule: Rule;
  /** Version of the algorithm whose calibration was in use; null without one. */
  readonly calibrationVersion: number | null;
  /** When that calibration was made, UTC ms: which of the student's it was. */
  readonly calibratedAtMs: number | null;
  /** True on the session's last window (stopped on purpose, or ended as lost). */
  readonly final: boolean;
}
