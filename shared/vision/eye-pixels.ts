import { median } from '../median.ts';
import { type EyeIndices, IMAGE_LEFT_EYE, IMAGE_RIGHT_EYE } from './canonical-face.ts';
import { COVERED_NUMBERS, SHUT_NUMBERS } from './eye-pixels-weights.ts';
import { greenAround, greenAt } from './mesh-pixels.ts';
import { hardSideLightOf } from './side-light.ts';

/**
 * What the mesh's input pixels say of an eye: whether it is covered, by dark lenses, reflections or a patch
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

function skinOf(planes: Float32Array, landmarks: Float32Array): number {
  return Math.max(LEAST_SKIN, median(SKIN_POINTS.map((point) => greenAround(planes, landmarks, point))));
}

/** Writes mean, deviation, least and most of rows and columns of the cells to `to` on. */
function summarize(
  inputs: Float32Array,
  columns: readonly [number, number],
  rows: readonly [number, number],
  to: number,
): void {
  let [sum, squares, least, most] = [0, 0, Number.POSITIVE_INFINITY, 0];
  for (let row = rows[0]; row < rows[1]; row++) {
    for (let column = columns[0]; column < columns[1]; column++) {
      const value = inputs[row * CELLS_ACROSS + column] as number;
      sum += value;
      squares += value * value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  const count = (rows[1] - rows[0]) * (columns[1] - columns[0]);
  const mean = sum / count;
  inputs[to] = mean;
  inputs[to + 1] = Math.sqrt(Math.max(0, squares / count - mean * mean));
  inputs[to + 2] = least;
  inputs[to + 3] = most;
}

/**
 * What the network takes for one eye: its picture over the skin's brightness, outer corner first, and figures of it.
 * `planes`: the mesh's input tensor (3 × 192 × 192, 0–1); `landmarks`: 478 × (x, y, z) in its pixels.
 */
export function eyeInputs(
  planes: Float32Array,
  landmarks: Float32Array,
  eye: EyeIndices,
  skin = skinOf(planes, landmarks),
): Float32Array {
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
  const inputs = new Float32Array(EYE_INPUTS);
  let burnt = 0;
  const stepX = (side * PICTURE_WIDTH * width) / (CELLS_ACROSS * SAMPLES);
  const stepY = (PICTURE_HEIGHT * width) / (CELLS_DOWN * SAMPLES);
  for (let row = 0; row < CELLS_DOWN; row++) {
    for (let column = 0; column < CELLS_ACROSS; column++) {
      let sum = 0;
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
        const right = (column * SAMPLES + (sample % SAMPLES) + 0.5 - (CELLS_ACROSS * SAMPLES) / 2) * stepX;
        const below = (row * SAMPLES + ((sample / SAMPLES) | 0) + 0.5 - (CELLS_DOWN * SAMPLES) / 2) * stepY;
        sum += greenAt(planes, middleX + cos * right - sin * below, middleY + sin * right + cos * below);
      }
      const value = sum / SAMPLES ** 2;
      if (value > BURNT) burnt++;
      inputs[row * CELLS_ACROSS + column] = Math.min(BRIGHTEST, value / skin);
    }
  }
  let across = 0;
  let down = 0;
  for (let at = 0; at < CELLS; at++) {
    const value = inputs[at] as number;
    if (at % CELLS_ACROSS > 0) across += Math.abs(value - (inputs[at - 1] as number));
    if (at >= CELLS_ACROSS) down += Math.abs(value - (inputs[at - CELLS_ACROSS] as number));
  }
  summarize(inputs, [0, CELLS_ACROSS], [0, CELLS_DOWN], CELLS);
  inputs[CELLS + 4] = across / (CELLS - CELLS_DOWN);
  inputs[CELLS + 5] = down / (CELLS - CELLS_ACROSS);
  inputs[CELLS + 6] = burnt / CELLS;
  inputs[CELLS + 7] = skin;
  summarize(inputs, IRIS_CELLS.columns, IRIS_CELLS.rows, CELLS + 8);
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

/** The same with the scaling of the inputs worked into flat weights. */
interface FlatNetwork {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  readonly out: Float64Array;
  readonly outBias: number;
}

function flatten({ mean, deviation, hidden, hiddenBias, out, outBias }: EyeNetwork): FlatNetwork {
  const scaled = hidden.map((row) => row.map((weight, i) => weight / (deviation[i] as number)));
  return {
    weights: Float64Array.from(scaled.flat()),
    bias: Float64Array.from(hiddenBias, (bias, unit) =>
      (scaled[unit] as number[]).reduce((sum, weight, i) => sum - weight * (mean[i] as number), bias),
    ),
    out: Float64Array.from(out),
    outBias,
  };
}

function chance(inputs: Float32Array, { weights, bias, out, outBias }: FlatNetwork): number {
  let logit = outBias;
  for (let unit = 0, at = 0; unit < bias.length; unit++) {
    let sum = bias[unit] as number;
    for (let i = 0; i < EYE_INPUTS; i++) sum += (weights[at++] as number) * (inputs[i] as number);
    if (sum > 0) logit += (out[unit] as number) * sum;
  }
  return 1 / (1 + Math.exp(-logit));
}

/** Probability that the network gives an eye of these inputs, 0–1. */
export function chanceOf(inputs: Float32Array, network: EyeNetwork): number {
  return chance(inputs, flatten(network));
}

const COVERED = flatten(readEyeNetwork(COVERED_NUMBERS));
const SHUT = flatten(readEyeNetwork(SHUT_NUMBERS));

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
  /** Hard light from the side, as hardSideLightOf has it. */
  readonly hardSideLight: number;
}

/** An eye counts in full up to the first probability of a cover, and not at all from the second on. */
const SEEN_UP_TO = 0.5;
const COVERED_FROM = 0.9;

/** The eyes in the mesh's input tensor; `landmarks` (478) in its pixels. */
export function eyesInPixels(planes: Float32Array, landmarks: Float32Array): EyesPixels {
  const skin = skinOf(planes, landmarks);
  const judge = (eye: EyeIndices): EyePixels => {
    const inputs = eyeInputs(planes, landmarks, eye, skin);
    const covered = chance(inputs, COVERED);
    const seen = Math.min(1, Math.max(0, (COVERED_FROM - covered) / (COVERED_FROM - SEEN_UP_TO)));
    return { seen, shut: chance(inputs, SHUT) };
  };
  return {
    imageLeft: judge(IMAGE_LEFT_EYE),
    imageRight: judge(IMAGE_RIGHT_EYE),
    hardSideLight: hardSideLightOf(planes, landmarks),
  };
}
