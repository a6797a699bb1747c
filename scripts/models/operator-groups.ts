import type { OnnxGraph } from './onnx.ts';
import type { TfliteGraph, TfliteOperator } from './tflite.ts';

/**
 * Operators of one kind that run side by side on the slots of one value: the model's eye and lip
 * branches are alike, and one grouped operator over all of them costs far less than one each.
 * An operator that has no twin is a group of one slot.
 */
export interface OperatorGroup {
  readonly operators: TfliteOperator[];
  /** Of one slot, as ONNX has it: those over the model's own are zero. */
  readonly channels: number;
  /** ONNX value, NCHW, the slots' channels one after the other; null until it is emitted. */
  value: string | null;
}

interface GroupSlot {
  readonly group: OperatorGroup;
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

export function dimension(shape: readonly number[], axis: number): number {
  const size = shape[axis];
  if (size === undefined) throw new Error(`a tensor of ${shape.length} axes has no axis ${axis}`);
  return size;
}

/**
 * The operators of a TFLite graph in groups, and their values in an ONNX graph, each emitted when it is
 * asked for. How an operator is written in ONNX is what a subclass knows.
 */
export abstract class GroupedGraph {
  readonly tflite: TfliteGraph;
  readonly onnx: OnnxGraph;
  protected readonly slots = new Map<number, GroupSlot>();
  readonly #selections = new Map<string, string>();

  constructor(tflite: TfliteGraph, onnx: OnnxGraph) {
    this.tflite = tflite;
    this.onnx = onnx;
    this.#plan();
  }

  #plan(): void {
    const layerInputs = new Set(this.tflite.operators.flatMap(({ name, inputs }) => (LAYERS.has(name) ? inputs : [])));
    const groups = new Map<string, OperatorGroup>();
    const ids = new Map<OperatorGroup, number>();
    for (const operator of this.tflite.operators) {
      const [output] = operator.outputs;
      if (output === undefined) continue;
      if (operator.name === 'dequantize') continue;
      const inputs = operator.inputs.map((input) => {
        const slot = this.slots.get(input);
        return slot === undefined ? this.tflite.shape(input).join('x') : `g${ids.get(slot.group)}`;
      });
      const shape = this.tflite.shape(output);
      const options = [0, 1, 2, 3, 4].map(operator.option);
      const key = [operator.name, operator.customName, inputs, shape, options].join('|');
      const own = dimension(shape, shape.length - 1);
      const channels = LAYERS.has(operator.name) && layerInputs.has(output) ? wholeBlocks(own) : own;
      const group = groups.get(key) ?? { operators: [], channels, value: null };
      if (!groups.has(key)) {
        ids.set(group, groups.size);
        groups.set(key, group);
      }
      this.slots.set(output, { group, index: group.operators.length });
      group.operators.push(operator);
    }
  }

  /** Gives graph input `tensor` the ONNX value `value` (NCHW). */
  bindInput(tensor: number, value: string): void {
    const channels = dimension(this.tflite.shape(tensor), 3);
    this.slots.set(tensor, { group: { operators: [], channels, value }, index: 0 });
  }

  /** Gives the outputs of twin operators, translated elsewhere, their common ONNX value. */
  bindGroup(tensors: readonly number[], value: string): void {
    tensors.forEach((tensor, index) => {
      const slot = this.slots.get(tensor);
      if (slot === undefined || slot.index !== index || slot.group.operators.length !== tensors.length) {
        throw new Error(`tensor ${tensor} is not slot ${index} of ${tensors.length}`);
      }
      slot.group.value = value;
    });
  }

  /** ONNX value (NCHW) of the tensors, which must be all slots of one group in order; emits what it needs. */
  value(tensors: readonly number[]): string {
    const slots = tensors.map((tensor) => {
      const slot = this.slots.get(tensor);
      if (slot === undefined) throw new Error(`tensor ${tensor} is computed by no operator`);
      return slot;
    });
    const group = slots[0]?.group;
    if (group === undefined || slots.some((slot) => slot.group !== group)) throw new Error('slots of different groups');
    group.value ??= this.emit(group);
    const order = slots.map((slot) => slot.index);
    const width = Math.max(1, group.operators.length);
    if (order.length === width && order.every((slot, index) => slot === index)) return group.value;
    const key = `${group.value}:${order}`;
    const known = this.#selections.get(key);
    if (known !== undefined) return known;
    const parts = this.onnx.split('Split', [group.value], width, { axis: 1 });
    const joined = this.onnx.node(
      'Concat',
      order.map((slot) => parts[slot] ?? ''),
      { axis: 1 },
    );
    const selected = enterBlockedLayout(this.onnx, joined);
    this.#selections.set(key, selected);
    return selected;
  }

  /** Writes the group's operators; returns their ONNX value. */
  protected abstract emit(group: OperatorGroup): string;
}
