import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FaceObservation } from '../../../shared/observation.ts';
import { ProtocolError } from '../../../shared/protocol/errors.ts';
import { type ClientMessage, decodeClientMessage, encodeClientMessage } from '../../../shared/protocol/frames.ts';
import { PICTURE_FAULTS } from '../../../shared/vision/picture-fault.ts';

const FRAME: ClientMessage = {
  kind: 'frame',
  seq: 0x0102,
  captureMs: 0x00012345,
  late: false,
  codec: 'jpeg',
  crop: { xPx: 200, yPx: 100, widthPx: 256, heightPx: 240 },
  fullFrame: false,
  image: Uint8Array.of(0xff, 0xd8, 0xff),
};

const FRAME_BYTES = Uint8Array.of(
  ...[0x11], // version 1, type 1 FRAME
  ...[0x00], // JPEG, not late, a crop
  ...[0x01, 0x02], // sequence number 258
  ...[0x00, 0x01, 0x23, 0x45], // capture clock 74,565 ms
  ...[0x00, 0xc8], // x 200
  ...[0x00, 0x64], // y 100
  ...[0x01, 0x00], // width 256
  ...[0x00, 0xf0], // height 240
  ...[0xff, 0xd8, 0xff], // the image
);

const OBSERVATION: FaceObservation = {
  face: {
    score: 1,
    headYawDeg: -12.34,
    headPitchDeg: 5.5,
    headRollDeg: -1,
    fitResidual: 0.0312,
    imageLeftEye: { yawDeg: 1.5, pitchDeg: -2.25, openness: 0.301, visibility: 1 },
    imageRightEye: { yawDeg: -0.01, pitchDeg: 0, openness: 0, visibility: 0 },
    interOcularPx: 63.2,
    seedDirection: 'looking_left',
    nextRoi: { centerXPx: 320.5, centerYPx: -1.125, sizePx: 200, rotationRad: 0.1 },
  },
  faceCount: 2,
  detectorRan: true,
  brightness: 0.2,
  sharpness: 0.6,
};

const OBSERVATION_BYTES = Uint8Array.of(
  ...[0x13, 0x04, 0xff, 0xff, 0x00, 0x00, 0x03, 0xe8], // OBSERVATION, late, seq 65,535, 1,000 ms
  ...[0, 0, 0, 0, 0, 0, 0, 0], // no crop
  ...[0x03, 0x02, 0xff, 0x01], // face + detector, 2 faces, score 1, looking_left
  ...[0xfb, 0x2e, 0x02, 0x26, 0xff, 0x9c], // yaw −12.34°, pitch 5.50°, roll −1.00°
  ...[0x01, 0x38], // residual 0.0312
  ...[0x00, 0x96, 0xff, 0x1f, 0x01, 0x2d, 0xff, 0x00], // image-left eye
  ...[0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00], // image-right eye
  ...[0x02, 0x78], // 63.2 px
  ...[0x33, 0x99], // brightness 0.2, sharpness 0.6
  ...[0x0a, 0x04, 0xff, 0xf7, 0x06, 0x40, 0x03, 0xe8], // region of interest
);

function codeOf(bytes: Uint8Array): string {
  try {
    decodeClientMessage(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return error.fault;
    throw error;
  }
  return 'none';
}

function changed(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = value;
  return copy;
}

describe('client messages: encoding', () => {
  it('F-4 writes a frame as its golden bytes', () => {
    expect(encodeClientMessage(FRAME)).toEqual(FRAME_BYTES);
  });

  it('F-4 writes codec, late and whole frame as flags', () => {
    const bytes = encodeClientMessage({ ...FRAME, codec: 'webp', late: true, fullFrame: true });
    expect(bytes[1]).toBe(0b1101);
  });

  it('F-5 writes "same" as the header alone', () => {
    const bytes = encodeClientMessage({ kind: 'same', seq: 7, captureMs: 9, late: false });
    expect(bytes).toEqual(Uint8Array.of(0x12, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0));
  });

  it('F-6 writes an observation as its golden bytes', () => {
    const bytes = encodeClientMessage({
      kind: 'observation',
      seq: 0xffff,
      captureMs: 1000,
      late: true,
      observation: OBSERVATION,
    });
    expect(bytes).toEqual(OBSERVATION_BYTES);
  });
});

describe('client messages: decoding', () => {
  it('F-4 reads the golden frame', () => {
    expect(decodeClientMessage(FRAME_BYTES)).toEqual(FRAME);
  });

  it('F-4 does not copy the image', () => {
    const message = decodeClientMessage(FRAME_BYTES);
    expect(message.kind === 'frame' && message.image.buffer === FRAME_BYTES.buffer).toBe(true);
  });

  it('F-6 reads the golden observation to the steps of the wire', () => {
    const message = decodeClientMessage(OBSERVATION_BYTES);
    if (message.kind !== 'observation' || message.observation.face === null) throw new Error('not an observation');
    const { face } = message.observation;
    expect(face.headYawDeg).toBe(-12.34);
    expect(face.imageLeftEye.pitchDeg).toBe(-2.25);
    expect(face.nextRoi).toEqual({ centerXPx: 320.5, centerYPx: -1.125, sizePx: 200, rotationRad: 0.1 });
    expect(face.seedDirection).toBe('looking_left');
    expect(message.observation.faceCount).toBe(2);
  });

  it('F-6 an observation without a face holds no numbers of one', () => {
    const bytes = encodeClientMessage({
      kind: 'observation',
      seq: 1,
      captureMs: 1,
      late: false,
      observation: { face: null, faceCount: 0, detectorRan: true, brightness: 0, sharpness: 0 },
    });
    const message = decodeClientMessage(bytes);
    expect(message.kind === 'observation' && message.observation.face).toBeNull();
  });

  it('F-6 an observation without a face may say what is wrong with the picture; of a later version’s reasons nothing is read', () => {
    const empty = { face: null, faceCount: 0, detectorRan: true, brightness: 0, sharpness: 0 } as const;
    for (const fault of PICTURE_FAULTS) {
      const observation = { ...empty, fault };
      const bytes = encodeClientMessage({ kind: 'observation', seq: 1, captureMs: 1, late: false, observation });
      expect(decodeClientMessage(bytes)).toMatchObject({ observation });
      bytes[bytes.length - 40 + 2] = 200;
      const later = decodeClientMessage(bytes);
      expect(later.kind === 'observation' && later.observation.fault).toBeUndefined();
    }
  });

  it.each([FRAME_BYTES, OBSERVATION_BYTES])(
    'F-3 a golden message cut at any length before its body is refused',
    (bytes) => {
      const whole = bytes === FRAME_BYTES ? 17 : bytes.length;
      for (let length = 0; length < whole; length += 1) {
        expect(['frame_truncated', 'frame_empty']).toContain(codeOf(bytes.subarray(0, length)));
      }
    },
  );

  it.each([
    ['F-1 version 2', changed(FRAME_BYTES, 0, 0x21), 'frame_version'],
    ['F-2 type 0', changed(FRAME_BYTES, 0, 0x10), 'frame_type'],
    ['F-2 type of an update', changed(FRAME_BYTES, 0, 0x18), 'frame_type'],
    ['F-3 unknown flag', changed(FRAME_BYTES, 1, 0x80), 'frame_flags'],
    ['F-3 unknown codec', changed(FRAME_BYTES, 1, 0x02), 'frame_flags'],
    ['F-4 crop of no width', changed(changed(FRAME_BYTES, 12, 0), 13, 0), 'frame_geometry'],
    ['F-4 no image', FRAME_BYTES.subarray(0, 16), 'frame_empty'],
    ['F-3 "same" with a body', Uint8Array.of(0x12, ...new Uint8Array(16)), 'frame_truncated'],
    ['O-1 unknown observation flags', changed(OBSERVATION_BYTES, 16, 0x83), 'observation_invalid'],
    ['O-1 unknown direction', changed(OBSERVATION_BYTES, 19, 77), 'observation_invalid'],
  ])('%s', (_name, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('reads any bytes or refuses them with a code, never otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        codeOf(bytes);
      }),
    );
  });
});

describe('client messages: round trip', () => {
  it('every frame comes back as it was', () => {
    const u16 = fc.integer({ min: 0, max: 0xffff });
    const side = fc.integer({ min: 1, max: 0xffff });
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constant('frame' as const),
          seq: u16,
          captureMs: fc.integer({ min: 0, max: 0xffff_ffff }),
          late: fc.boolean(),
          codec: fc.constantFrom('jpeg' as const, 'webp' as const),
          crop: fc.record({ xPx: u16, yPx: u16, widthPx: side, heightPx: side }),
          fullFrame: fc.boolean(),
          image: fc.uint8Array({ minLength: 1, maxLength: 100 }),
        }),
        (message) => {
          expect(decodeClientMessage(encodeClientMessage(message))).toEqual(message);
        },
      ),
    );
  });
});
