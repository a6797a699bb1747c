import type { Direction, FocusState } from '../../shared/direction.ts';
import type { Update } from '../../shared/protocol/update.ts';

/** Directions as the pages of EyeLearn know them. */
export type PageDirection = Exclude<Direction, 'unknown'>;

/** What `onTrackingUpdate` gets: times in seconds, shares in percent, one decimal each. */
export interface TrackingUpdate {
  /** Last known while nothing can be told (see `current_state`); missing before anything is known. */
  readonly is_focused?: boolean;
  /** Likewise. */
  readonly gaze_direction?: PageDirection;
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

/** What of an update stays as it was while nothing can be told. */
type Known = Pick<TrackingUpdate, 'is_focused' | 'gaze_direction'>;

/**
 * The gateway's update as the old class handed it on. The old vocabulary has no word for "unknown" and "not tracked",
 * and pages show anything but focused in red: state and direction stay as in `before`, the update before this one
 * (null for the first). The times add up as printed.
 */
export function toTrackingUpdate(update: Update, wallClock: Date, before: Known | null): TrackingUpdate {
  const focused = tenths(update.focusedMs);
  const unfocused = tenths(update.unfocusedMs);
  const judgedMs = update.focusedMs + update.unfocusedMs;
  const isKnown = update.state === 'focused' || update.state === 'unfocused';
  const isFocused = isKnown ? update.state === 'focused' : before?.is_focused;
  const direction = isKnown && update.direction !== 'unknown' ? update.direction : before?.gaze_direction;
  return {
    ...(isFocused === undefined ? {} : { is_focused: isFocused }),
    ...(direction === undefined ? {} : { gaze_direction: direction }),
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
