import { seededRandom } from '../../../harness/random.ts';
import { EYE_INPUTS, type EyeNetwork } from '../../../shared/vision/eye-pixels.ts';

/** One eye: what the network takes, and whether it is what the network tells. */
export interface EyeSample {
  readonly inputs: Float32Array;
  readonly positive: boolean;
}

const HIDDEN_UNITS = 14;
const EPOCHS = 50;
const BATCH = 32;
const STEP = 0.002;
/** Weight decay per step, as a share of the step. */
const DECAY = 0.02;
const [MOMENT_1, MOMENT_2, TINY] = [0.9, 0.999, 1e-8];

/** Digits that weights are kept with: the file stays small and the figures the same everywhere. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Fits the network by Adam (Kingma and Ba, ICLR 2015) with weight decay, the same from run to run. */
export function fitEyeNetwork(samples: readonly EyeSample[], seed = 1): EyeNetwork {
  const random = seededRandom(seed);
  const n = EYE_INPUTS;
  const mean = new Float64Array(n);
  const deviation = new Float64Array(n);
  for (const { inputs } of samples)
    inputs.forEach((value, i) => {
      mean[i] = (mean[i] ?? 0) + value / samples.length;
    });
  for (const { inputs } of samples) {
    inputs.forEach((value, i) => {
      deviation[i] = (deviation[i] ?? 0) + (value - (mean[i] ?? 0)) ** 2 / samples.length;
    });
  }
  for (let i = 0; i < n; i++) deviation[i] = Math.max(1e-3, Math.sqrt(deviation[i] ?? 0));
  const scaled = samples.map(({ inputs }) =>
    Float64Array.from(inputs, (value, i) => (value - (mean[i] ?? 0)) / (deviation[i] ?? 1)),
  );

  // All weights in one array: hidden rows, hidden biases, output weights, output bias.
  const H = HIDDEN_UNITS;
  const size = H * n + 2 * H + 1;
  const w = new Float64Array(size);
  for (let i = 0; i < H * n; i++) w[i] = (random() * 2 - 1) * Math.sqrt(3 / n);
  for (let h = 0; h < H; h++) w[H * n + H + h] = (random() * 2 - 1) * Math.sqrt(3 / H);
  const m = new Float64Array(size);
  const v = new Float64Array(size);
  const gradient = new Float64Array(size);
  const active = new Float64Array(H);
  const order = samples.map((_, i) => i);
  let steps = 0;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let i = order.length - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1));
      [order[i], order[other]] = [order[other] ?? 0, order[i] ?? 0];
    }
    const step = STEP * (1 - epoch / EPOCHS);
    for (let from = 0; from < order.length; from += BATCH) {
      gradient.fill(0);
      const batch = order.slice(from, from + BATCH);
      for (const index of batch) {
        const x = scaled[index] ?? new Float64Array(n);
        let logit = w[size - 1] ?? 0;
        for (let h = 0; h < H; h++) {
          let sum = w[H * n + h] ?? 0;
          for (let i = 0; i < n; i++) sum += (w[h * n + i] ?? 0) * (x[i] ?? 0);
          active[h] = Math.max(0, sum);
          logit += (w[H * n + H + h] ?? 0) * (active[h] ?? 0);
        }
        const error = (1 / (1 + Math.exp(-logit)) - (samples[index]?.positive ? 1 : 0)) / batch.length;
        gradient[size - 1] = (gradient[size - 1] ?? 0) + error;
        for (let h = 0; h < H; h++) {
          const a = active[h] ?? 0;
          gradient[H * n + H + h] = (gradient[H * n + H + h] ?? 0) + error * a;
          if (a <= 0) continue;
          const back = error * (w[H * n + H + h] ?? 0);
          gradient[H * n + h] = (gradient[H * n + h] ?? 0) + back;
          for (let i = 0; i < n; i++) gradient[h * n + i] = (gradient[h * n + i] ?? 0) + back * (x[i] ?? 0);
        }
      }
      steps++;
      for (let i = 0; i < size; i++) {
        const g = gradient[i] ?? 0;
        m[i] = MOMENT_1 * (m[i] ?? 0) + (1 - MOMENT_1) * g;
        v[i] = MOMENT_2 * (v[i] ?? 0) + (1 - MOMENT_2) * g * g;
        const move = (m[i] ?? 0) / (1 - MOMENT_1 ** steps) / (Math.sqrt((v[i] ?? 0) / (1 - MOMENT_2 ** steps)) + TINY);
        w[i] = (w[i] ?? 0) - step * (move + DECAY * (w[i] ?? 0));
      }
    }
  }
  const part = (from: number, length: number): number[] => [...w.subarray(from, from + length)].map(rounded);
  return {
    mean: [...mean].map(rounded),
    deviation: [...deviation].map(rounded),
    hidden: Array.from({ length: H }, (_, h) => part(h * n, n)),
    hiddenBias: part(H * n, H),
    out: part(H * n + H, H),
    outBias: rounded(w[size - 1] ?? 0),
  };
}
