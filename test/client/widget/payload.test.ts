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
    expect(toTrackingUpdate(update, AT, null)).toEqual({
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
      const { metrics } = toTrackingUpdate({ ...update, focusedMs: ms, unfocusedMs: 2 * ms + 51 }, AT, null);
      expect(metrics.total_time).toBeCloseTo(metrics.focused_time + metrics.unfocused_time, 9);
      expect(metrics.total_time * 10).toBeCloseTo(Math.round(metrics.total_time * 10), 9);
    }
  });

  it('before anything is known it says neither focused nor unfocused: pages would show red', () => {
    for (const state of ['unknown', 'untracked'] as const) {
      const first = toTrackingUpdate({ ...update, state, direction: 'unknown' }, AT, null);
      expect(first).not.toHaveProperty('is_focused');
      expect(first).not.toHaveProperty('gaze_direction');
      expect(first.metrics.current_state).toBe(state);
    }
  });

  it('while nothing can be told, state and direction stay as they were; the metrics say what is so', () => {
    const away = toTrackingUpdate({ ...update, state: 'unfocused', direction: 'looking_left' }, AT, null);
    expect(away).toMatchObject({ is_focused: false, gaze_direction: 'looking_left' });
    const dark = toTrackingUpdate({ ...update, state: 'unknown', direction: 'unknown' }, AT, away);
    expect(dark).toMatchObject({
      is_focused: false,
      gaze_direction: 'looking_left',
      metrics: { current_state: 'unknown' },
    });
    const offline = toTrackingUpdate({ ...update, state: 'untracked', direction: 'unknown' }, AT, dark);
    expect(offline).toMatchObject({ is_focused: false, gaze_direction: 'looking_left' });
    expect(toTrackingUpdate(update, AT, offline)).toMatchObject({ is_focused: true, gaze_direction: 'centered' });
  });

  it('says 0 percent, not nothing, before any time could be judged', () => {
    const { metrics } = toTrackingUpdate({ ...update, focusedMs: 0, unfocusedMs: 0 }, AT, null);
    expect(metrics).toMatchObject({ total_time: 0, focus_percentage: 0 });
  });

  it('uses none but the directions that pages know', () => {
    const known =
      'centered looking_left looking_right looking_up looking_down face_turned eyes_closed no_face distracted';
    for (const direction of DIRECTIONS) {
      const told = toTrackingUpdate({ ...update, direction }, AT, null).gaze_direction;
      if (direction === 'unknown') expect(told).toBeUndefined();
      else expect(known.split(' ')).toContain(told);
    }
  });
});
