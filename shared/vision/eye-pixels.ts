import { type EyeIndices, IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from './canonical-face.ts';
import { COVERED_NUMBERS, SHUT_NUMBERS } from './eye-pixels-weights.ts';
import { MESH_SIZE } from './mesh-output.ts';

/**
 * What the pixels that the mesh looked at say of an eye: whether it is covered, by dark lenses, reflections or a patch
 * for which the mesh makes irises up, and whether its lid is shut. Two small networks (one hidden layer) that
 * `bench/accuracy/covers/train.ts` fits on faces of clips and stills, on rendered heads, and on covers drawn over their eyes.
 */

/** The eye's picture: cells across and down, and how wide and high it is in widths of the eye. */
const CELLS_ACROSS = 12;
const CELLS_DOWN = 8;
const PICTURE_WIDTH = 1.8;
const PICTURE_HEIGHT = 1.2;
/** Samples a side in each cell. */
const SAMPLES = 2;
/** Where the iris can be: columns and rows of cells, from and to. */
const IRIS_CELLS = { columns: [3, 9], rows: [2, 6] } as const;
const CELLS = CELLS_ACROSS * CELLS_DOWN;
/** Cells, then eight figures of all of them and four of the iris's place. */
export const EYE_INPUTS = CELLS + 12;

/** Brow, nose bridge and cheeks: their median brightness is what an eye's picture is divided by. */
const SKIN_POINTS = [50, 280, 101, 330, 205, 425, 151, 108, 337, 6, 197, 9];
const LEAST_SKIN = 0.08;
const BRIGHTEST = 2.5;
const BURNT = 0.93;

/** Green at a place of the mesh's tensor, bilinear, the border repeated; places count from pixel corners. */
function greenAt(planes: Float32Array, xPx: number, yPx: number): number {
  const last = MESH_SIZE - 1.001;
  const x = Math.min(last, Math.max(0, xPx - 0.5));
  const y = Math.min(last, Math.max(0, yPx - 0.5));
  const left = x | 0;
  const top = y | 0;
  const right = x - left;
  const lower = y - top;
  const at = MESH_SIZE * MESH_SIZE + top * MESH_SIZE + left;
  const upperRow = (1 - right) * (planes[at] as number) + right * (planes[at + 1] as number);
  const lowerRow = (1 - right) * (planes[at + MESH_SIZE] as number) + right * (planes[at + MESH_SIZE + 1] as number);
  return (1 - lower) * upperRow + lower * lowerRow;
}

function skinOf(planes: Float32Array, landmarks: Float32Array): number {
  const lumas = SKIN_POINTS.map((point) => {
    const x = landmarks[point * 3] as number;
    const y = landmarks[point * 3 + 1] as number;
    let sum = 0;
    for (const dy of [-2, 0, 2]) for (const dx of [-2, 0, 2]) sum += greenAt(planes, x + dx, y + dy);
    return sum / 9;
  }).sort((a, b) => a - b);
  const middle = lumas.length >> 1;
  return Math.max(LEAST_SKIN, ((lumas[middle - 1] as number) + (lumas[middle] as number)) / 2);
}

/** Mean, deviation, least and most of some values. */
function summaryOf(values: readonly number[]): readonly [number, number, number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return [mean, Math.sqrt(square), Math.min(...values), Math.max(...values)];
}

/**
 * What the network takes for one eye: its picture over the skin's brightness, outer corner first, and figures of it.
 * `planes`: the tensor that the mesh looked at (3 × 192 × 192, 0–1); `landmarks`: 478 × (x, y, z) in its pixels.
 */
export function eyeInputs(planes: Float32Array, landmarks: Float32Array, eye: EyeIndices): Float32Array {
  const point = (index: number) => [landmarks[index * 3] as number, landmarks[index * 3 + 1] as number] as const;
  const [outerX, outerY] = point(eye.outer);
  const [innerX, innerY] = point(eye.inner);
  const [fromX, fromY] = point(IMAGE_LEFT_EYE.outer);
  const [toX, toY] = point(IMAGE_RIGHT_EYE.outer);
  const length = Math.max(1e-6, Math.hypot(toX - fromX, toY - fromY));
  const [cos, sin] = [(toX - fromX) / length, (toY - fromY) / length];
  const width = Math.hypot(outerX - innerX, outerY - innerY);
  const [middleX, middleY] = [(outerX + innerX) / 2, (outerY + innerY) / 2];
  const side = eye.outer === IMAGE_LEFT_EYE.outer ? 1 : -1;
  const skin = skinOf(planes, landmarks);

  const inputs = new Float32Array(EYE_INPUTS);
  let burnt = 0;
  for (let row = 0; row < CELLS_DOWN; row++) {
    for (let column = 0; column < CELLS_ACROSS; column++) {
      let sum = 0;
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
        const c = column + ((sample % SAMPLES) + 0.5) / SAMPLES;
        const r = row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES;
        const right = side * (c / CELLS_ACROSS - 0.5) * PICTURE_WIDTH * width;
        const down = (r / CELLS_DOWN - 0.5) * PICTURE_HEIGHT * width;
        sum += greenAt(planes, middleX + cos * right - sin * down, middleY + sin * right + cos * down);
      }
      const value = sum / SAMPLES ** 2;
      if (value > BURNT) burnt++;
      inputs[row * CELLS_ACROSS + column] = Math.min(BRIGHTEST, value / skin);
    }
  }
  const cells = [...inputs.subarray(0, CELLS)];
  const iris: number[] = [];
  let across = 0;
  let down = 0;
  for (let row = 0; row < CELLS_DOWN; row++) {
    for (let column = 0; column < CELLS_ACROSS; column++) {
      const at = row * CELLS_ACROSS + column;
      const value = cells[at] as number;
      if (column > 0) across += Math.abs(value - (cells[at - 1] as number));
      if (row > 0) down += Math.abs(value - (cells[at - CELLS_ACROSS] as number));
      const { columns, rows } = IRIS_CELLS;
      if (column >= columns[0] && column < columns[1] && row >= rows[0] && row < rows[1]) iris.push(value);
    }
  }
  const steps = [across / (CELLS - CELLS_DOWN), down / (CELLS - CELLS_ACROSS), burnt / CELLS, skin];
  inputs.set([...summaryOf(cells), ...steps, ...summaryOf(iris)], CELLS);
  return inputs;
}

/** A network of one hidden layer: inputs − mean over deviation, rectified sums, one logit. */
export interface EyeNetwork {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** One row of EYE_INPUTS weights for each hidden unit. */
  readonly hidden: readonly (readonly number[])[];
  readonly hiddenBias: readonly number[];
  readonly out: readonly number[];
  readonly outBias: number;
}

/** A network as one line of numbers: mean, deviation, hidden rows, hidden biases, output weights, output bias. */
export function writeEyeNetwork(network: EyeNetwork): string {
  const { mean, deviation, hidden, hiddenBias, out, outBias } = network;
  return [mean, deviation, ...hidden, hiddenBias, out, [outBias]].flat().join(' ');
}

/** Reads what writeEyeNetwork wrote. */
export function readEyeNetwork(text: string): EyeNetwork {
  const numbers = text.split(' ').map(Number);
  const units = (numbers.length - 1 - 2 * EYE_INPUTS) / (EYE_INPUTS + 2);
  let at = 0;
  const take = (length: number): number[] => {
    at += length;
    return numbers.slice(at - length, at);
  };
  return {
    mean: take(EYE_INPUTS),
    deviation: take(EYE_INPUTS),
    hidden: Array.from({ length: units }, () => take(EYE_INPUTS)),
    hiddenBias: take(units),
    out: take(units),
    outBias: take(1)[0] ?? 0,
  };
}

const COVERED = readEyeNetwork(COVERED_NUMBERS);
const SHUT = SHUT_NUMBERS === '' ? null : readEyeNetwork(SHUT_NUMBERS);

/** Probability that the network gives an eye of these inputs, 0–1. */
export function chanceOf(inputs: Float32Array, network: EyeNetwork): number {
  const { mean, deviation, hidden, hiddenBias, out, outBias } = network;
  const scaled = inputs.map((value, i) => (value - (mean[i] as number)) / (deviation[i] as number));
  let logit = outBias;
  hidden.forEach((weights, unit) => {
    let sum = hiddenBias[unit] as number;
    for (let i = 0; i < weights.length; i++) sum += (weights[i] as number) * (scaled[i] as number);
    if (sum > 0) logit += (out[unit] as number) * sum;
  });
  return 1 / (1 + Math.exp(-logit));
}

/** One eye as far as pixels tell. */
export interface EyePixels {
  /** How well it is seen, 0–1. */
  readonly seen: number;
  /** Probability that its lid is shut, 0–1. */
  readonly shut: number;
}

export interface EyesPixels {
  readonly imageLeft: EyePixels;
  readonly imageRight: EyePixels;
}

/** An eye counts in full up to the first probability of a cover, and not at all from the second on. */
const SEEN_UP_TO = 0.5;
const COVERED_FROM = 0.9;

/** The eyes in the tensor that the mesh looked at; `landmarks` (478) in its pixels. */
export function eyesInPixels(planes: Float32Array, landmarks: Float32Array): EyesPixels {
  const judge = (eye: EyeIndices): EyePixels => {
    const inputs = eyeInputs(planes, landmarks, eye);
    const covered = chanceOf(inputs, COVERED);
    const seen = Math.min(1, Math.max(0, (COVERED_FROM - covered) / (COVERED_FROM - SEEN_UP_TO)));
    return { seen, shut: SHUT === null ? 0 : chanceOf(inputs, SHUT) };
  };
  return { imageLeft: judge(IMAGE_LEFT_EYE), imageRight: judge(IMAGE_RIGHT_EYE) };
}
