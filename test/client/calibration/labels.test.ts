import { describe, expect, it } from 'vitest';
import { resultLabels, statusLabel, timeAgo } from '../../../client/calibration/labels.ts';
import type { Calibrated, CalibrationRefused } from '../../../shared/protocol/calibration.ts';

const OK = { ok: true, readings: 7 };
const FAILED = { ok: false, readings: 1 };

function calibrated(changes: Partial<Calibrated> = {}): Calibrated {
  return {
    type: 'calibrated',
    version: 1,
    yawErrorDeg: 2.4,
    pitchErrorDeg: 3.3,
    points: [OK, OK, OK, OK, OK],
    applied: true,
    kept: true,
    ...changes,
  };
}

const refused = (reason: CalibrationRefused['reason'], points: CalibrationRefused['points'] = []) =>
  ({ type: 'calibration_refused', reason, points, message: 'why' }) as const;

describe('the result of a calibration in words', () => {
  it('says how exactly the gaze is read now, by the worse of both directions', () => {
    const words = resultLabels(calibrated());
    expect(words.title).toBe('Your gaze is now measured to about 3°');
    expect(words.repeat).toBeNull();
    expect(resultLabels(calibrated({ yawErrorDeg: 0.2, pitchErrorDeg: 0.1 })).title).toContain('about 1°');
  });

  it('offers a repeat when the error is large or a dot failed', () => {
    expect(resultLabels(calibrated({ yawErrorDeg: 5.6 })).repeat).toBe('Repeat');
    const failed = resultLabels(calibrated({ points: [OK, OK, FAILED, OK, OK] }));
    expect(failed.text).toContain('One dot could not be measured');
    expect(failed.repeat).toBe('Repeat');
  });

  it('says when nothing was changed, and when nothing is remembered', () => {
    expect(resultLabels(calibrated({ applied: false })).text).toContain('nothing was changed');
    expect(resultLabels(calibrated({ kept: false })).text).toContain('could not be saved');
  });

  it('asks for the dots that failed once more', () => {
    expect(resultLabels(refused('too_few_readings', [OK, FAILED, FAILED, OK, OK]))).toMatchObject({
      title: '2 dots could not be measured',
      repeat: 'Show them again',
    });
  });

  it('offers no repeat where none can help', () => {
    expect(resultLabels(refused('rule')).repeat).toBeNull();
    expect(resultLabels(null).repeat).toBe('Try again');
    expect(resultLabels(refused('not_open')).repeat).toBe('Try again');
  });
});

describe('the line about the screen', () => {
  it('says whether it is set up, since when and how exactly', () => {
    expect(statusLabel(null)).toBe('Your screen is not set up yet.');
    expect(statusLabel({ version: 1, ageMs: 3 * 86_400_000, yawErrorDeg: 2, pitchErrorDeg: 3.4 })).toBe(
      'Your screen was set up 3 days ago; your gaze is measured to about 3°.',
    );
    expect(statusLabel({ version: 1, ageMs: 10, yawErrorDeg: null, pitchErrorDeg: null })).toBe(
      'Your screen was set up just now.',
    );
  });

  it.each([
    [59_999, 'just now'],
    [60_000, 'a minute ago'],
    [7_200_000, '2 hours ago'],
    [86_400_000, 'a day ago'],
  ])('%i ms ago is %s', (ageMs, words) => expect(timeAgo(ageMs)).toBe(words));
});
