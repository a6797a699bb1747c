import { describe, expect, it } from 'vitest';
import {
  DETECTOR_BOX_VALUES,
  DETECTOR_BOXES,
  type DetectedFace,
  decodeDetections,
  orderFaces,
} from '../../../shared/vision/detector.ts';

/** The searched square is the detector's own input: no scaling. */
const INPUT = { centerXPx: 64, centerYPx: 64, sizePx: 128, rotationRad: 0 };
const NO_FACE = -20;

interface Proposal {
  readonly index: number;
  readonly logit: number;
  /** Centre relative to the anchor, width, height, two eyes relative to the anchor. */
  readonly values: readonly number[];
}

function decode(proposals: readonly Proposal[], region = INPUT): DetectedFace[] {
  const boxes = new Float32Array(DETECTOR_BOXES * DETECTOR_BOX_VALUES);
  const logits = new Float32Array(DETECTOR_BOXES).fill(NO_FACE);
  for (const { index, logit, values } of proposals) {
    logits[index] = logit;
    boxes.set(values, index * DETECTOR_BOX_VALUES);
  }
  return decodeDetections(boxes, logits, region);
}

// Layout of the anchors: 16×16 cells of 8 px with two each, then 8×8 cells of 16 px with six each.
const FINE_CELL_3_2 = (2 * 16 + 3) * 2;
const COARSE_CELL_1_5 = 512 + (5 * 8 + 1) * 6;
const FACE = [0, 0, 20, 24, -5, -4, 5, -4];

describe('decodeDetections', () => {
  it('finds nothing where no score reaches 0.4', () => {
    expect(decode([])).toEqual([]);
    expect(decode([{ index: 100, logit: -0.41, values: FACE }])).toEqual([]);
  });

  it('takes a box below one half where there is no better one', () => {
    const weak = { index: 100, logit: -0.4, values: FACE };
    expect(decode([weak])).toHaveLength(1);
    expect(decode([weak, { index: 300, logit: 1, values: FACE }])).toHaveLength(1);
  });

  it('places a fine box around its anchor’s cell', () => {
    const [face, ...others] = decode([{ index: FINE_CELL_3_2 + 1, logit: 0, values: FACE }]);
    expect(others).toEqual([]);
    expect(face?.score).toBeCloseTo(0.5, 6);
    expect(face?.box).toEqual({ xPx: 28 - 10, yPx: 20 - 12, widthPx: 20, heightPx: 24 });
    expect(face?.imageLeftEye).toEqual({ xPx: 23, yPx: 16 });
    expect(face?.imageRightEye).toEqual({ xPx: 33, yPx: 16 });
  });

  it('places a coarse box around its anchor’s cell', () => {
    const [face] = decode([{ index: COARSE_CELL_1_5 + 5, logit: 3, values: FACE }]);
    expect(face?.box).toEqual({ xPx: 24 - 10, yPx: 88 - 12, widthPx: 20, heightPx: 24 });
  });

  it('scales and shifts to the searched square', () => {
    const region = { centerXPx: 320, centerYPx: 240, sizePx: 640, rotationRad: 0 };
    const [face] = decode([{ index: FINE_CELL_3_2, logit: 2, values: FACE }], region);
    expect(face?.box).toEqual({ xPx: 18 * 5, yPx: -80 + 8 * 5, widthPx: 100, heightPx: 120 });
  });

  it('merges boxes over the same face into their mean, weighted by score', () => {
    const [face, ...others] = decode([
      { index: FINE_CELL_3_2, logit: 0, values: FACE },
      { index: FINE_CELL_3_2 + 1, logit: Math.log(3), values: [4, 0, 20, 24, -1, -4, 9, -4] },
    ]);
    expect(others).toEqual([]);
    // Scores 0.5 and 0.75: the second weighs 0.6.
    expect(face?.score).toBeCloseTo(0.75, 6);
    expect(face?.box.xPx).toBeCloseTo(18 + 0.6 * 4, 5);
    expect(face?.imageLeftEye.xPx).toBeCloseTo(23 + 0.6 * 4, 5);
  });

  it('keeps two faces apart, the surer one first', () => {
    const faces = decode([
      { index: FINE_CELL_3_2, logit: 1, values: FACE },
      { index: COARSE_CELL_1_5, logit: 4, values: FACE },
    ]);
    expect(faces.map((face) => face.box.yPx)).toEqual([76, 8]);
  });

  it('ignores values that are no numbers', () => {
    expect(decode([{ index: 3, logit: Number.NaN, values: FACE }])).toEqual([]);
  });
});

describe('orderFaces', () => {
  const face = (xPx: number, sizePx: number): DetectedFace => ({
    score: 0.9,
    box: { xPx, yPx: 0, widthPx: sizePx, heightPx: sizePx },
    imageLeftEye: { xPx: 0, yPx: 0 },
    imageRightEye: { xPx: 1, yPx: 0 },
  });
  const small = face(0, 10);
  const large = face(200, 50);

  it('puts the largest face first without a hint', () => {
    expect(orderFaces([small, large], null)).toEqual([large, small]);
  });

  it('puts the face nearest to the hint first, however small', () => {
    const hint = { centerXPx: 10, centerYPx: 10, sizePx: 30, rotationRad: 0 };
    expect(orderFaces([large, small], hint)).toEqual([small, large]);
  });
});
