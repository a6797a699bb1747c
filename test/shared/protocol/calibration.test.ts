import { describe, expect, it } from 'vitest';
import { MIN_POINTS } from '../../../shared/focus/calibration.ts';
import { NEEDED_POINTS } from '../../../shared/protocol/calibration.ts';
import { parseClientControl, parseServerControl } from '../../../shared/protocol/control.ts';

const POINT = { across: 0.5, down: 0.5, fromMs: 100, untilMs: 1500 };
const points = (count: number, change: object = {}) => Array.from({ length: count }, () => ({ ...POINT, ...change }));

function isTaken(message: object): boolean {
  try {
    parseClientControl(JSON.stringify(message));
    return true;
  } catch {
    return false;
  }
}

describe('control messages of a calibration', () => {
  it('K-2 a finish says which point was shown when; the screen may be unknown', () => {
    const message = { type: 'calibrate_finish', points: points(5) };
    expect(parseClientControl(JSON.stringify(message))).toEqual({ ...message, screen: null });
    expect(isTaken({ ...message, screen: { widthCm: 34, heightCm: 19 } })).toBe(true);
  });

  it.each([
    ['fewer points than a calibration needs', { points: points(NEEDED_POINTS - 1) }],
    ['more points than fit', { points: points(17) }],
    ['a point beside the screen', { points: points(5, { across: 1.1 }) }],
    ['a point that ends before it began', { points: points(5, { untilMs: 99 }) }],
    ['a screen without height', { points: points(5), screen: { widthCm: 34 } }],
    ['an unknown field', { points: points(5), gaze: [] }],
  ])('K-2 %s is refused', (_name, fields) => {
    expect(isTaken({ type: 'calibrate_finish', ...fields })).toBe(false);
  });

  it('K-4 one point more than the fit needs tells the error', () => {
    expect(NEEDED_POINTS).toBe(MIN_POINTS + 1);
  });

  it('K-7 a device is a UUID or nothing', () => {
    const hello = { type: 'hello', protocol: 'gaze-relay.v1', ticket: 't' };
    expect(isTaken({ ...hello, device: '0b0a3c52-6f1c-4c9a-9a3e-3f0a5d1c7e11' })).toBe(true);
    const capitals = { ...hello, device: '0B0A3C52-6F1C-4C9A-9A3E-3F0A5D1C7E11' };
    expect(parseClientControl(JSON.stringify(capitals))).toMatchObject({ device: capitals.device.toLowerCase() });
    expect(isTaken({ ...hello, device: null })).toBe(true);
    expect(isTaken({ ...hello, device: 'my laptop' })).toBe(false);
  });

  it('K-3 both answers can be read', () => {
    const results = [{ ok: true, readings: 7 }];
    const refused = { type: 'calibration_refused', reason: 'too_few_readings', points: results, message: 'why' };
    const calibrated = {
      type: 'calibrated',
      version: 1,
      yawErrorDeg: 2.5,
      pitchErrorDeg: null,
      points: results,
      applied: true,
      kept: false,
    };
    expect(parseServerControl(JSON.stringify(refused))).toEqual(refused);
    expect(parseServerControl(JSON.stringify(calibrated))).toEqual(calibrated);
  });
});
