import { describe, expect, it } from 'vitest';
import { parseClientControl, parseServerControl } from '../../../shared/protocol/control.ts';
import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { agreedFeatures, FEATURE_GATES, FEATURES, MAX_FEATURES } from '../../../shared/protocol/features.ts';
import { decodeClientMessage } from '../../../shared/protocol/frames.ts';
import { decodeUpdate, UPDATE_BYTES } from '../../../shared/protocol/update.ts';

const HELLO = '{"type":"hello","protocol":"gaze-relay.v1","ticket":"t"}';

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

/** As pages of the first v1 send it. These texts and bytes never change: such pages stay in browsers' caches. */
const FIRST_V1 = [
  '{"type":"hello","protocol":"gaze-relay.v1","ticket":"t","resume":null,"client":"gaze-relay-client","device":null}',
  '{"type":"start","camera":{"widthPx":640,"heightPx":480},"sectionId":82,"mode":"server","atMs":0}',
  '{"type":"section","sectionId":null,"atMs":1500}',
  '{"type":"stop","atMs":2000}',
  '{"type":"calibrate"}',
  `{"type":"calibrate_finish","screen":null,"points":[${Array(4).fill('{"across":0.5,"down":0.5,"fromMs":0,"untilMs":900}').join()}]}`,
  '{"type":"calibrate_abort"}',
];

describe('V-1 the first v1', () => {
  it.each(FIRST_V1)('%s is read', (text) => {
    expect(parseClientControl(text)).toMatchObject(JSON.parse(text));
  });

  it('its binary messages are read', () => {
    expect(decodeClientMessage(bytesOf('11 09 0102 00000304 0005 0006 0070 0080 ffd8ffd9'))).toEqual({
      kind: 'frame',
      seq: 0x102,
      captureMs: 0x304,
      late: false,
      codec: 'webp',
      fullFrame: true,
      crop: { xPx: 5, yPx: 6, widthPx: 0x70, heightPx: 0x80 },
      image: bytesOf('ffd8ffd9'),
    });
    expect(decodeClientMessage(bytesOf('12 04 0007 000003e8 0000 0000 0000 0000'))).toEqual({
      kind: 'same',
      seq: 7,
      captureMs: 1000,
      late: true,
    });
    const observation = '00 00 00 00 0000 0000 0000 0000 0000000000000000 0000000000000000 0000 80 40 0000000000000000';
    expect(decodeClientMessage(bytesOf(`13 00 0008 000007d0 0000 0000 0000 0000 ${observation}`))).toMatchObject({
      kind: 'observation',
      seq: 8,
      captureMs: 2000,
      observation: { face: null, faceCount: 0, brightness: 128 / 255, sharpness: 64 / 255 },
    });
  });

  it('its welcome, without features, is read', () => {
    const totals = { focusedMs: 0, unfocusedMs: 0, unknownMs: 0, untrackedMs: 0 };
    const limits = { maxFps: 10, credit: 2, imageSizePx: 192, maxFrameBytes: 65536 };
    const session = { sessionId: '11111111-1111-4111-8111-111111111111', epoch: 0, resume: 'r', resumed: false };
    const welcome = { type: 'welcome', ...session, clockMs: 0, totals, limits, calibration: null };
    expect(parseServerControl(JSON.stringify(welcome))).toEqual({ ...welcome, features: [] });
  });
});

describe('V-2 features', () => {
  it('are those that both sides have; unknown names are ignored', () => {
    expect(agreedFeatures(['b', 'unheard-of', 'a'], ['a', 'b', 'c'])).toEqual(['a', 'b']);
    expect(agreedFeatures([], ['a'])).toEqual([]);
    expect(agreedFeatures(['a'], [])).toEqual([]);
  });

  it('a hello may name some, up to a bound', () => {
    const hello = (features: unknown) => JSON.stringify({ ...JSON.parse(HELLO), features });
    expect(parseClientControl(hello(['a-feature']))).toMatchObject({ features: ['a-feature'] });
    for (const wrong of ['a', [1], [''], ['x'.repeat(41)], Array(MAX_FEATURES + 1).fill('x')]) {
      expect(() => parseClientControl(hello(wrong))).toThrow(/features/);
    }
  });

  it('every message or field that needs one needs one that is listed', () => {
    for (const { feature } of FEATURE_GATES) expect(FEATURES).toContain(feature);
  });
});

describe('V-3 what was not agreed', () => {
  const gates = [
    { feature: 'clocks', type: 'stop', field: 'atMs' },
    { feature: 'pauses', type: 'calibrate', field: null },
  ];

  it.each([
    ['a field', '{"type":"stop","atMs":1}', 'clocks'],
    ['a message', '{"type":"calibrate"}', 'pauses'],
  ])('%s is refused as unknown, and read where it was agreed', (_name, text, feature) => {
    const other = feature === 'clocks' ? 'pauses' : 'clocks';
    let refused: unknown = null;
    try {
      parseClientControl(text, [other], gates);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(ProtocolError);
    expect(refused).toMatchObject({ code: 'control_invalid', message: expect.stringContaining(feature) });
    expect(parseClientControl(text, [feature], gates)).toEqual(JSON.parse(text));
  });
});

describe('V-4 UPDATE', () => {
  it('has 44 bytes, each where the first v1 has it', () => {
    expect(UPDATE_BYTES).toBe(44);
    const bytes = bytesOf(
      '18 00 0102 00000304 01 04 ff 02 00000010 00000020 00000030 00000040 0005 0006 0007 0008 0009 000a 00fa 00c0',
    );
    expect(decodeUpdate(bytes)).toEqual({
      outcome: 'processed',
      seq: 0x102,
      captureMs: 0x304,
      state: 'unfocused',
      direction: 'looking_down',
      confidence: 1,
      credit: 2,
      focusedMs: 16,
      unfocusedMs: 32,
      unknownMs: 48,
      untrackedMs: 64,
      focusBouts: 5,
      unfocusBouts: 6,
      nextCrop: { xPx: 7, yPx: 8, widthPx: 9, heightPx: 10 },
      maxFps: 2.5,
      imageSizePx: 192,
    });
  });
});
