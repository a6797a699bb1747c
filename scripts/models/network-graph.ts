import { encodeNetwork, LANES, type Layer, type NetworkPlan } from '../../shared/vision/network.ts';
import { planMemory, withOffsets } from './memory-plan.ts';
import { LAYER_OPTION, PADDING_SAME, samePadding, type TfliteGraph, type TfliteOperator } from './tflite.ts';

/** A value on its way: pixels × pixels with `channels` channels, at a place that is fixed at the end. */
interface Value {
  readonly id: number;
  readonly size: number;
  readonly channels: number;
}

function blocksOf(channels: number): number {
  return Math.ceil(channels / LANES);
}

const ONE_AS_HALF = 0x3c00;

/**
 * Turns a TFLite graph of depthwise blocks into layers that do several operators at once (convolution, addition,
 * rectifier), with its weights in the order in which the device's kernels read them.
 */
export class NetworkBuilder {
  readonly graph: TfliteGraph;
  readonly #layers: Layer[] = [];
  readonly #values = new Map<number, Value>();
  readonly #sizes: number[] = [];
  /** Weights of all layers, half-precision. */
  readonly #bits: number[] = [];

  constructor(graph: TfliteGraph) {
    this.graph = graph;
  }

  allocate(size: number, channels: number): Value {
    const value = { id: this.#sizes.length, size, channels };
    this.#sizes.push(size * size * blocksOf(channels) * LANES);
    return value;
  }

  /** Gives a tensor a value made elsewhere. */
  bind(tensor: number, value: Value): void {
    this.#values.set(tensor, value);
  }

  add(layer: Layer): void {
    this.#layers.push(layer);
  }

  /** The value of a tensor; emits the layers it needs. */
  value(tensor: number | undefined): Value {
    const known = this.#values.get(tensor ?? -1);
    if (known !== undefined) return known;
    const value = this.#emit(tensor);
    this.#values.set(tensor ?? -1, value);
    return value;
  }

  #emit(tensor: number | undefined): Value {
    const operator = this.graph.producer(tensor);
    switch (operator.name) {
      case 'prelu':
      case 'relu':
        return this.#rectified(operator);
      case 'add':
        throw new Error('an addition without a rectifier is not mapped');
      case 'conv2d':
        return this.#convolution(operator, null, null);
      case 'depthwiseConv2d':
        return this.#depthwise(operator);
      case 'maxPool2d':
        return this.#pool(operator);
      default:
        throw new Error(`TFLite operator ${operator.name} ${operator.customName} has no mapping here`);
    }
  }

  #rectified(operator: TfliteOperator): Value {
    const before = this.graph.producer(operator.inputs[0]);
    const slopes = operator.name === 'relu' ? [] : this.graph.halves(operator.inputs[1]);
    if (before.name === 'conv2d') return this.#convolution(before, null, slopes);
    if (before.name !== 'add') throw new Error(`a rectifier after ${before.name} is not mapped`);
    const [left, right] = before.inputs.map((input) => ({ input, operator: this.graph.producer(input) }));
    const main = [left, right].find((side) => side?.operator.name === 'conv2d');
    const other = main === left ? right : left;
    if (main === undefined || other === undefined) throw new Error('an addition without a convolution is not mapped');
    // Channels that padding appends are zero, and adding them changes nothing.
    const added = other.operator.name === 'pad' ? other.operator.inputs[0] : other.input;
    return this.#convolution(main.operator, this.value(added), slopes);
  }

  /** `slopes`: bits of the rectifier's, empty for 0, null for no rectifier. */
  #convolution(operator: TfliteOperator, added: Value | null, slopes: ArrayLike<number> | null): Value {
    const [input, kernel, bias] = operator.inputs;
    const [outputs = 0, height = 0, , inputs = 0] = this.graph.shape(kernel);
    if (input === this.graph.inputs[0]) return this.#stem(operator, slopes);
    const from = this.value(input);
    const whole = height === from.size && height > 1;
    if (!whole && height !== 1) throw new Error(`a ${height}×${height} convolution is not mapped`);
    const size = whole ? 1 : from.size;
    const to = this.allocate(size, outputs);
    const given = whole ? height * height * blocksOf(from.channels) * LANES : blocksOf(from.channels) * LANES;
    const bits = this.graph.halves(kernel);
    const padded = blocksOf(inputs) * LANES;
    const at = (output: number, step: number): number => {
      const channel = step % padded;
      const position = Math.floor(step / padded);
      return channel < inputs ? (bits[(output * height * height + position) * inputs + channel] ?? 0) : 0;
    };
    this.#layers.push({
      kind: 'pointwise',
      from: from.id,
      pixels: size * size,
      channels: given,
      added: added === null ? null : { from: added.id, blocks: blocksOf(added.channels) },
      to: to.id,
      blocks: blocksOf(outputs),
      perOutput: given,
    });
    this.#write(outputs, given, at, bias, slopes);
    return to;
  }

  #stem(operator: TfliteOperator, slopes: ArrayLike<number> | null): Value {
    const [input, kernel, bias] = operator.inputs;
    const [outputs = 0, height = 0, , channels = 0] = this.graph.shape(kernel);
    const [, size = 0] = this.graph.shape(input);
    if (operator.option(LAYER_OPTION.strideH) !== 2)
      throw new Error('a first layer of another stride than 2 is not mapped');
    const to = this.allocate(size / 2, outputs);
    const perOutput = channels * height * height;
    const bits = this.graph.halves(kernel);
    this.#layers.push({
      kind: 'stem',
      channels,
      kernel: height,
      outSize: size / 2,
      to: to.id,
      blocks: blocksOf(outputs),
      perOutput,
    });
    const at = (output: number, step: number): number => {
      const channel = Math.floor(step / (height * height));
      const position = step % (height * height);
      return bits[(output * height * height + position) * channels + channel] ?? 0;
    };
    this.#write(outputs, perOutput, at, bias, slopes);
    return to;
  }

  #depthwise(operator: TfliteOperator): Value {
    const [input, kernel, bias] = operator.inputs;
    const [, height = 0, , channels = 0] = this.graph.shape(kernel);
    const step = operator.option(LAYER_OPTION.strideH);
    if (height !== 3 || (step !== 1 && step !== 2) || operator.option(LAYER_OPTION.padding) !== PADDING_SAME) {
      throw new Error('a depthwise layer other than 3×3, SAME, is not mapped');
    }
    const from = this.value(input);
    const outSize = Math.ceil(from.size / step);
    const to = this.allocate(outSize, channels);
    const bits = this.graph.halves(kernel);
    this.#layers.push({
      kind: 'depthwise',
      from: from.id,
      size: from.size,
      step,
      before: samePadding(from.size, 3, step)[0],
      outSize,
      to: to.id,
      blocks: blocksOf(channels),
      perOutput: 9,
    });
    this.#write(channels, 9, (output, position) => bits[position * channels + output] ?? 0, bias, null);
    return to;
  }

  #pool(operator: TfliteOperator): Value {
    const from = this.value(operator.inputs[0]);
    const to = this.allocate(from.size / 2, from.channels);
    this.#layers.push({ kind: 'pool', from: from.id, size: from.size, to: to.id, blocks: blocksOf(from.channels) });
    return to;
  }

  /** Writes a layer's weights: matrix [block][step][lane], bias, slope. */
  #write(
    outputs: number,
    perOutput: number,
    at: (output: number, step: number) => number,
    bias: number | undefined,
    slopes: ArrayLike<number> | null,
  ): void {
    const padded = blocksOf(outputs) * LANES;
    for (let block = 0; block < padded; block += LANES) {
      for (let step = 0; step < perOutput; step++) {
        for (let output = block; output < block + LANES; output++)
          this.#bits.push(output < outputs ? at(output, step) : 0);
      }
    }
    const biases = this.graph.halves(bias);
    for (let output = 0; output < padded; output++) this.#bits.push(biases[output] ?? 0);
    for (let output = 0; output < padded; output++) {
      this.#bits.push(slopes === null ? ONE_AS_HALF : (slopes[output] ?? 0));
    }
  }

  /** The network as a file; `outputs` in the order in which its user reads them. */
  encode(
    outputs: readonly { readonly value: Value; readonly values: number; readonly rows: number }[],
    cellsPerUnit: number | null,
  ): Uint8Array {
    const memory = planMemory(
      this.#sizes,
      this.#layers,
      outputs.map(({ value }) => value.id),
    );
    const at = (id: number): number => memory.at[id] ?? 0;
    const [, size = 0, , channels = 0] = this.graph.shape(this.graph.inputs[0]);
    const stem = this.#layers.find((layer) => layer.kind === 'stem');
    const kernel = stem?.kernel ?? 1;
    const [before, after] = samePadding(size, kernel, 2);
    const plan: NetworkPlan = {
      input: { size, channels, before, after },
      layers: this.#layers.map((layer) => withOffsets(layer, at)),
      floats: memory.floats,
      outputs: outputs.map(({ value, values, rows }) => ({
        at: at(value.id),
        values,
        rows,
        stride: blocksOf(value.channels) * LANES,
      })),
      cellsPerUnit,
    };
    return encodeNetwork(plan, new Uint8Array(Uint16Array.from(this.#bits).buffer));
  }
}
