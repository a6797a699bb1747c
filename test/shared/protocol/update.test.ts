import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIRECTIONS, FOCUS_STATES, UNKNOWN_REASONS } from '../../../shared/direction.ts';
import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { decodeUpdate, encodeUpdate, OUTCOMES, type Update } from '../../../shared/protocol/update.ts';

const UPDATE: Update = {
  seq: 513,
  captureMs: 60_000,
  outcome: 'processed',
  state: 'unfocused',
  direction: 'looking_down',
  confidence: 0.8,
  focusedMs: 50_000,
  unfocusedMs: 8000,
  unknownMs: 1500,
  untrackedMs: 500,
  focusBouts: 4,
  unfocusBouts: 3,
  nextCrop: { xPx: 200, yPx: 100, widthPx: 256, heightPx: 240 },
  maxFps: 7.5,
  credit: 2,
  imageSizePx: 192,
};

const BYTES = Uint8Array.of(
  ...[0x18, 0x00], // version 1, type 8; processed
  ...[0x02, 0x01], // acknowledges 513
  ...[0x00, 0x00, 0xea, 0x60], // captured at 60,000 ms
  ...[0x01, 0x04, 0xcc, 0x02], // unfocused, looking_down, confidence 0.8, credit 2
  ...[0x00, 0x00, 0xc3, 0x50], // focused 50,000 ms
  ...[0x00, 0x00, 0x1f, 0x40], // unfocused 8,000 ms
  ...[0x00, 0x00, 0x05, 0xdc], // unknown 1,500 ms
  ...[0x00, 0x00, 0x01, 0xf4], // untracked 500 ms
  ...[0x00, 0x04, 0x00, 0x03], // bouts
  ...[0x00, 0xc8, 0x00, 0x64, 0x01, 0x00, 0x00, 0xf0], // next crop
  ...[0x02, 0xee], // 7.5 per second
  ...[0x00, 0xc0], // 192 px
);

function codeOf(bytes: Uint8Array): string {
  try {
    decodeUpdate(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return error.fault;
    throw error;
  }
  return 'none';
}

describe('update', () => {
  it('is written as its golden bytes', () => {
    expect(encodeUpdate(UPDATE)).toEqual(BYTES);
  });

  it('is read from its golden bytes', () => {
    expect(decodeUpdate(BYTES)).toEqual(UPDATE);
  });

  it('no next crop asks for the whole frame', () => {
    expect(decodeUpdate(encodeUpdate({ ...UPDATE, nextCrop: null })).nextCrop).toBeNull();
  });

  it('U-1 cut at any length, or longer, it is no update', () => {
    for (let length = 0; length < BYTES.length; length += 1) {
      expect(codeOf(BYTES.subarray(0, length))).toBe('frame_truncated');
    }
    expect(codeOf(Uint8Array.of(...BYTES, 0))).toBe('frame_truncated');
  });

  it.each([
    ['version', 0, 0x28, 'frame_version'],
    ['type', 0, 0x11, 'frame_type'],
    ['outcome', 1, OUTCOMES.length, 'frame_flags'],
    ['state', 8, FOCUS_STATES.length, 'frame_flags'],
    ['direction', 9, DIRECTIONS.length, 'frame_flags'],
  ])('U-1 an unknown %s is refused', (_name, offset, value, code) => {
    const bytes = BYTES.slice();
    bytes[offset] = value;
    expect(codeOf(bytes)).toBe(code);
  });

  it('comes back as it was, to the steps of the wire', () => {
    const ms = fc.integer({ min: 0, max: 0xffff_ffff });
    const u16 = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        fc.record({
          seq: u16,
          captureMs: ms,
          outcome: fc.constantFrom(...OUTCOMES),
          state: fc.constantFrom(...FOCUS_STATES),
          direction: fc.constantFrom(...DIRECTIONS),
          confidence: fc.integer({ min: 0, max: 255 }).map((step) => step / 255),
          focusedMs: ms,
          unfocusedMs: ms,
          unknownMs: ms,
          untrackedMs: ms,
          focusBouts: u16,
          unfocusBouts: u16,
          nextCrop: fc.option(
            fc.record({
              xPx: u16,
              yPx: u16,
              widthPx: fc.integer({ min: 1, max: 0xffff }),
              heightPx: fc.integer({ min: 1, max: 0xffff }),
            }),
          ),
          maxFps: fc.integer({ min: 0, max: 6000 }).map((step) => step / 100),
          credit: fc.integer({ min: 1, max: 16 }),
          imageSizePx: u16,
        }),
        (update) => {
          const confidence = update.direction === 'unknown' ? 0 : update.confidence;
          expect(decodeUpdate(encodeUpdate(update))).toEqual({ ...update, confidence });
        },
      ),
    );
  });

  it('says why a direction is unknown, and reads a later version’s reasons as none', () => {
    const unknown = { ...UPDATE, state: 'unknown', direction: 'unknown', confidence: 0 } as const;
    for (const reason of UNKNOWN_REASONS) {
      expect(decodeUpdate(encodeUpdate({ ...unknown, reason }))).toEqual({ ...unknown, reason });
    }
    const later = encodeUpdate(unknown);
    later[10] = 200;
    expect(decodeUpdate(later)).toEqual(unknown);
  });
});
