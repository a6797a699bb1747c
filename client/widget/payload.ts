import type { Direction, FocusState, UnknownReason } from '../../shared/direction.ts';
import type { Update } from '../../shared/protocol/update.ts';

/** Directions in the vocabulary of EyeLearn's pages. */
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
    /** Focused and unfocused time: when focus could be determined. */
    readonly total_time: number;
    /** Focused share of total_time, 0–100; 0 while it is empty. */
    readonly focus_percentage: number;
    readonly focus_sessions: number;
    readonly unfocus_sessions: number;
    readonly current_state: FocusState;
    /** Analysed, but focus could not be determined (too dark, too far away, several faces). */
    readonly unknown_time: number;
    /** Why the state is unknown, where that is known. */
    readonly unknown_reason?: UnknownReason;
    /** Not analysed (paused, offline, no camera). */
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
 * The gateway's update in the old class's form. The old vocabulary has no word for "unknown" and "not tracked", and pages
 * show anything but focused in red: state and direction stay as in `before`, the previous update (null for the first).
 * The times add up as printed.
 */
export function toTrackingUpdate(update: Update, wallClock: Date, before: Known | null): TrackingUpdate {
  const focused = tenths(update.focusedMs);
  const unfocused = tenths(update.unfocusedMs);
  const determinedMs = update.focusedMs + update.unfocusedMs;
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
      focus_percentage: determinedMs === 0 ? 0 : Math.round((update.focusedMs / determinedMs) * 1000) / 10,
      focus_sessions: update.focusBouts,
      unfocus_sessions: update.unfocusBouts,
      current_state: update.state,
      unknown_time: tenths(update.unknownMs) / 10,
      untracked_time: tenths(update.untrackedMs) / 10,
      ...(update.reason === undefined ? {} : { unknown_reason: update.reason }),
    },
    timestamp: wallClock.toISOString(),
  };
}
