import { halfToNumber } from '../../shared/half.ts';
import type { OnnxGraph } from './onnx.ts';
import { TFLITE_TYPE, type TfliteGraph, type TfliteOperator } from './tflite.ts';

/**
 * Operators of one kind that run side by side on the lanes of one value: the model's eye and lip
 * branches are alike, and one grouped operator over all of them costs far less than one each.
 * An operator that has no twin is a wave of one lane.
 */
export interface Wave {
  readonly operators: TfliteOperator[];
  /** Of one lane, as ONNX has it: those over the model's own are zero. */
  readonly channels: number;
  /** ONNX value, NCHW, the lanes' channels one after the other; null until it is emitted. */
  value: string | null;
}

interface Lane {
  readonly wave: Wave;
  readonly index: number;
}

/** Channels in a block of onnxruntime's blocked layout on processors with AVX-512; with AVX2 it is half of that. */
const BLOCK_CHANNELS = 16;

/** Operators between which channels may be added that are zero. */
const LAYERS: ReadonlySet<string> = new Set(['conv2d', 'depthwiseConv2d', 'maxPool2d', 'pad', 'prelu', 'add', 'relu']);

/**
 * The same value, in onnxruntime's blocked layout from here on: as a pooling over single pixels, since
 * only convolutions and poolings bring a value into that layout, and each Add after it would leave it again.
 */
export function enterBlockedLayout(onnx: OnnxGraph, value: string): string {
  return onnx.node('MaxPool', [value], { kernel_shape: [1, 1] });
}

function wholeBlocks(channels: number): number {
  return Math.ceil(channels / BLOCK_CHANNELS) * BLOCK_CHANNELS;
}

export function shapeOf(graph: TfliteGraph, tensor: number): readonly number[] {
  const shape = graph.tensors[tensor]?.shape;
  if (shape === undefined) throw new Error(`the TFLite model has no tensor ${tensor}`);
  return shape;
}

export function dimension(shape: readonly number[], axis: number): number {
  const size = shape[axis];
  if (size === undefined) throw new Error(`a tensor of ${shape.length} axes has no axis ${axis}`);
  return size;
}

/**
 * The operators of a TFLite graph as waves, and their values in an ONNX graph, each emitted when it is
 * asked for. How an operator is written in ONNX is what a subclass knows.
 */
export abstract class WaveGraph {
  readonly tflite: TfliteGraph;
  readonly onnx: OnnxGraph;
  protected readonly lanes = new Map<number, Lane>();
  private readonly constants = new Map<number, number>();
  private readonly selections = new Map<string, string>();

  constructor(tflite: TfliteGraph, onnx: OnnxGraph) {
    this.tflite = tflite;
    this.onnx = onnx;
    this.plan();
  }

  private plan(): void {
    const layerInputs = new Set(this.tflite.operators.flatMap(({ name, inputs }) => (LAYERS.has(name) ? inputs : [])));
    const waves = new Map<string, Wave>();
    const ids = new Map<Wave, number>();
    for (const operator of this.tflite.operators) {
      const [source, output] = [operator.inputs[0], operator.outputs[0]];
      if (source === undefined || output === undefined) continue;
      if (operator.name === 'dequantize') {
        this.constants.set(output, source);
        continue;
      }
      const inputs = operator.inputs.map((input) => {
        const lane = this.lanes.get(input);
        return lane === undefined ? shapeOf(this.tflite, input).join('x') : `w${ids.get(lane.wave)}`;
      });
      const shape = shapeOf(this.tflite, output);
      const options = [0, 1, 2, 3, 4].map(operator.option);
      const key = [operator.name, operator.customName, inputs, shape, options].join('|');
      const own = dimension(shape, shape.length - 1);
      const channels = LAYERS.has(operator.name) && layerInputs.has(output) ? wholeBlocks(own) : own;
      const wave = waves.get(key) ?? { operators: [], channels, value: null };
      if (!waves.has(key)) {
        ids.set(wave, waves.size);
        waves.set(key, wave);
      }
      this.lanes.set(output, { wave, index: wave.operators.length });
      wave.operators.push(operator);
    }
  }

  /** Gives graph input `tensor` the ONNX value `value` (NCHW). */
  bindInput(tensor: number, value: string): void {
    const channels = dimension(shapeOf(this.tflite, tensor), 3);
    this.lanes.set(tensor, { wave: { operators: [], channels, value }, index: 0 });
  }

  /** Gives the outputs of twin operators, translated elsewhere, their common ONNX value. */
  bindLanes(tensors: readonly number[], value: string): void {
    tensors.forEach((tensor, index) => {
      const lane = this.lanes.get(tensor);
      if (lane === undefined || lane.index !== index || lane.wave.operators.length !== tensors.length) {
        throw new Error(`tensor ${tensor} is not lane ${index} of ${tensors.length}`);
      }
      lane.wave.value = value;
    });
  }

  /** ONNX value (NCHW) of the tensors, which must be all lanes of one wave in order; emits what it needs. */
  value(tensors: readonly number[]): string {
    const lanes = tensors.map((tensor) => {
      const lane = this.lanes.get(tensor);
      if (lane === undefined) throw new Error(`tensor ${tensor} is computed by no operator`);
      return lane;
    });
    const wave = lanes[0]?.wave;
    if (wave === undefined || lanes.some((lane) => lane.wave !== wave)) throw new Error('lanes of different waves');
    wave.value ??= this.emit(wave);
    const order = lanes.map((lane) => lane.index);
    const width = Math.max(1, wave.operators.length);
    if (order.length === width && order.every((lane, index) => lane === index)) return wave.value;
    const key = `${wave.value}:${order}`;
    const known = this.selections.get(key);
    if (known !== undefined) return known;
    const parts = this.onnx.split('Split', [wave.value], width, { axis: 1 });
    const joined = this.onnx.node(
      'Concat',
      order.map((lane) => parts[lane] ?? ''),
      { axis: 1 },
    );
    const selected = enterBlockedLayout(this.onnx, joined);
    this.selections.set(key, selected);
    return selected;
  }

  /** The raw half-precision bits of a constant. */
  halves(tensor: number): Uint16Array {
    const source = this.tflite.tensors[this.constants.get(tensor) ?? tensor];
    if (source?.data == null || source.type !== TFLITE_TYPE.float16) {
      throw new Error(`tensor ${tensor} is no half-precision constant`);
    }
    const view = new DataView(source.data.buffer, source.data.byteOffset, source.data.byteLength);
    const bits = new Uint16Array(view.byteLength / 2);
    for (let index = 0; index < bits.length; index++) bits[index] = view.getUint16(index * 2, true);
    return bits;
  }

  /** A constant as numbers. */
  numbers(tensor: number): number[] {
    return Array.from(this.halves(tensor), halfToNumber);
  }

  /** Writes the wave's operators and gives their ONNX value. */
  protected abstract emit(wave: Wave): string;
}
