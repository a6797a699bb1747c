import type { Direction, FocusState } from '../../shared/direction.ts';
import type { Update } from '../../shared/protocol/update.ts';

/** Directions as the pages of EyeLearn know them. */
export type PageDirection = Exclude<Direction, 'unknown'> | 'error';

/** What `onTrackingUpdate` gets: times in seconds, shares in percent, one decimal each. */
export interface TrackingUpdate {
  readonly is_focused: boolean;
  readonly gaze_direction: PageDirection;
  readonly metrics: {
    readonly focused_time: number;
    readonly unfocused_time: number;
    /** Focused and unfocused time: what could be judged. */
    readonly total_time: number;
    /** Focused share of total_time, 0–100; 0 before anything could be judged. */
    readonly focus_percentage: number;
    readonly focus_sessions: number;
    readonly unfocus_sessions: number;
    readonly current_state: FocusState;
    /** Looked at, but not to be judged (too dark, too far, several faces). */
    readonly unknown_time: number;
    /** Not looked at (paused, offline, camera away). */
    readonly untracked_time: number;
  };
  /** ISO 8601, UTC. */
  readonly timestamp: string;
}

function tenths(ms: number): number {
  return Math.round(ms / 100);
}

/**
 * The gateway's update as the old class handed it on. `error` stands for a direction that could
 * not be told, the only word the old vocabulary has for that. The times add up as printed.
 */
export function toTrackingUpdate(update: Update, wallClock: Date): TrackingUpdate {
  const focused = tenths(update.focusedMs);
  const unfocused = tenths(update.unfocusedMs);
  const judgedMs = update.focusedMs + update.unfocusedMs;
  return {
    is_focused: update.state === 'focused',
    gaze_direction: update.direction === 'unknown' ? 'error' : update.direction,
    metrics: {
      focused_time: focused / 10,
      unfocused_time: unfocused / 10,
      total_time: (focused + unfocused) / 10,
      focus_percentage: judgedMs === 0 ? 0 : Math.round((update.focusedMs / judgedMs) * 1000) / 10,
      focus_sessions: update.focusBouts,
      unfocus_sessions: update.unfocusBouts,
      current_state: update.state,
      unknown_time: tenths(update.unknownMs) / 10,
      untracked_time: tenths(update.untrackedMs) / 10,
    },
    timestamp: wallClock.toISOString(),
  };
}
