import { describe, expect, it } from 'vitest';
import { toTrackingUpdate } from '../../../client/widget/payload.ts';
import { DIRECTIONS } from '../../../shared/direction.ts';
import type { Update } from '../../../shared/protocol/update.ts';

const AT = new Date('2026-01-15T10:30:45.123Z');
const update: Update = {
  seq: 1,
  captureMs: 140_000,
  outcome: 'processed',
  state: 'focused',
  direction: 'centered',
  confidence: 0.9,
  focusedMs: 125_340,
  unfocusedMs: 12_660,
  unknownMs: 1540,
  untrackedMs: 460,
  focusBouts: 5,
  unfocusBouts: 2,
  nextCrop: null,
  maxFps: 5,
  credit: 2,
  imageSizePx: 192,
};

describe('the payload of onTrackingUpdate', () => {
  it('has the shape and the units that pages know', () => {
    expect(toTrackingUpdate(update, AT)).toEqual({
      is_focused: true,
      gaze_direction: 'centered',
      metrics: {
        focused_time: 125.3,
        unfocused_time: 12.7,
        total_time: 138,
        focus_percentage: 90.8,
        focus_sessions: 5,
        unfocus_sessions: 2,
        current_state: 'focused',
        unknown_time: 1.5,
        untracked_time: 0.5,
      },
      timestamp: '2026-01-15T10:30:45.123Z',
    });
  });

  it('adds up as printed, for all roundings', () => {
    for (let ms = 0; ms < 2000; ms += 37) {
      const { metrics } = toTrackingUpdate({ ...update, focusedMs: ms, unfocusedMs: 2 * ms + 51 }, AT);
      expect(metrics.total_time).toBeCloseTo(metrics.focused_time + metrics.unfocused_time, 9);
      expect(metrics.total_time * 10).toBeCloseTo(Math.round(metrics.total_time * 10), 9);
    }
  });

  it('is focused in the state "focused" alone', () => {
    for (const state of ['unfocused', 'unknown', 'untracked'] as const) {
      expect(toTrackingUpdate({ ...update, state }, AT)).toMatchObject({
        is_focused: false,
        metrics: { current_state: state },
      });
    }
  });

  it('says 0 percent, not nothing, before any time could be judged', () => {
    const { metrics } = toTrackingUpdate({ ...update, focusedMs: 0, unfocusedMs: 0 }, AT);
    expect(metrics).toMatchObject({ total_time: 0, focus_percentage: 0 });
  });

  it('uses none but the directions that pages know', () => {
    const known =
      'centered looking_left looking_right looking_up looking_down face_turned eyes_closed no_face distracted error';
    for (const direction of DIRECTIONS) {
      expect(known.split(' ')).toContain(toTrackingUpdate({ ...update, direction }, AT).gaze_direction);
    }
    expect(toTrackingUpdate({ ...update, direction: 'unknown' }, AT).gaze_direction).toBe('error');
  });
});
