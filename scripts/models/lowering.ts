import { dimension, GroupedGraph, type OperatorGroup } from './operator-groups.ts';
import { LAYER_OPTION, PADDING_SAME, samePadding } from './tflite.ts';

type FourNumbers = [number, number, number, number];

interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** ONNX order: top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

/**
 * Translates the plain layers of a TFLite graph (NHWC) into ONNX operators (NCHW) in the form that
 * onnxruntime keeps in its blocked layout throughout: no PRelu, no Pad.
 */
export class Lowering extends GroupedGraph {
  protected override emit(group: OperatorGroup): string {
    const [first] = group.operators;
    if (first === undefined) throw new Error('a graph input was not bound');
    switch (first.name) {
      case 'conv2d':
        return this.#convolution(group);
      case 'depthwiseConv2d':
        return this.#depthwise(group);
      case 'maxPool2d':
        return this.#maxPool(group);
      case 'pad':
        return this.#channelPad(group);
      case 'prelu':
        return this.#prelu(group);
      case 'add':
        return this.onnx.node('Add', [this.#inputs(group, 0), this.#inputs(group, 1)]);
      case 'relu':
        return this.#widened(group) ?? this.onnx.node('Relu', [this.#inputs(group, 0)]);
      default:
        throw new Error(`TFLite operator ${first.name} ${first.customName} has no mapping here`);
    }
  }

  #inputTensors(group: OperatorGroup, position: number): number[] {
    return group.operators.map((operator) => {
      const tensor = operator.inputs[position];
      if (tensor === undefined) throw new Error(`a ${operator.name} has no input ${position}`);
      return tensor;
    });
  }

  /** Channels of one slot of a group's first input. */
  #channelsOfInput(group: OperatorGroup): number {
    const [input] = this.#inputTensors(group, 0);
    const slot = input === undefined ? undefined : this.slots.get(input);
    if (slot === undefined) throw new Error('an input that is computed by no operator');
    return slot.group.channels;
  }

  #inputs(group: OperatorGroup, position: number): string {
    return this.value(this.#inputTensors(group, position));
  }

  #window(group: OperatorGroup, kernelH: number, kernelW: number): Window {
    const [operator] = group.operators;
    const [input] = this.#inputTensors(group, 0);
    if (operator === undefined || input === undefined) throw new Error('an empty group');
    const shape = this.tflite.shape(input);
    const strideH = operator.option(LAYER_OPTION.strideH);
    const strideW = operator.option(LAYER_OPTION.strideW);
    const same = operator.option(LAYER_OPTION.padding) === PADDING_SAME;
    const [top, bottom] = same ? samePadding(dimension(shape, 1), kernelH, strideH) : [0, 0];
    const [left, right] = same ? samePadding(dimension(shape, 2), kernelW, strideW) : [0, 0];
    return { kernel: [kernelH, kernelW], strides: [strideH, strideW], pads: [top, left, bottom, right] };
  }

  #attributes(window: Window, groups: number): Record<string, number | readonly number[]> {
    return { group: groups, kernel_shape: window.kernel, strides: window.strides, pads: window.pads };
  }

  /** Stacks one constant of every slot along its first axis, after `arrange` brought each into ONNX order. */
  #stack(group: OperatorGroup, position: number, arrange: (bits: Uint16Array) => Uint16Array): Uint16Array {
    const parts = this.#inputTensors(group, position).map((tensor) => arrange(this.tflite.halves(tensor)));
    const stacked = new Uint16Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      stacked.set(part, at);
      at += part.length;
    }
    return stacked;
  }

  /** The one operator that computes the group's input at `position`; null if there are several or it is an input of the graph. */
  #source(group: OperatorGroup, position: number): OperatorGroup | null {
    const [input, ...others] = this.#inputTensors(group, position);
    const slot = input === undefined || others.length > 0 ? undefined : this.slots.get(input);
    return slot !== undefined && slot.group.operators.length === 1 ? slot.group : null;
  }

  /**
   * relu(pad(x) + conv(y)) where pad adds blocks of zero channels: the channels that x has and those
   * that it has not, each from its own convolution, put together. Null for any other relu.
   */
  #widened(relu: OperatorGroup): string | null {
    const add = this.#source(relu, 0);
    if (add?.operators[0]?.name !== 'add') return null;
    const [pad, conv] = [this.#source(add, 0), this.#source(add, 1)];
    if (pad?.operators[0]?.name !== 'pad' || conv?.operators[0]?.name !== 'conv2d') return null;
    const given = this.#channelsOfInput(pad);
    if (given === pad.channels) return null;
    const shared = this.onnx.node('Add', [this.#inputs(pad, 0), this.#convolution(conv, 0, given)]);
    const added = this.#convolution(conv, given, conv.channels);
    return this.onnx.node('Concat', [this.onnx.node('Relu', [shared]), this.onnx.node('Relu', [added])], { axis: 1 });
  }

  #convolution(group: OperatorGroup, from = 0, to = group.channels): string {
    const [kernel] = this.#inputTensors(group, 1);
    if (kernel === undefined) throw new Error('an empty group');
    const shape = this.tflite.shape(kernel);
    const [outer, height, width, inner] = [0, 1, 2, 3].map((axis) => dimension(shape, axis)) as FourNumbers;
    const slots = group.operators.length;
    const inputs = this.#channelsOfInput(group);
    const perOutput = inputs * height * width;
    const weights = this.#stack(group, 1, (bits) =>
      channelsFirst(
        bits,
        { outer, positions: height * width, inner },
        { outer: group.channels, inner: inputs },
      ).subarray(from * perOutput, to * perOutput),
    );
    return this.onnx.node(
      'Conv',
      [
        this.#inputs(group, 0),
        this.onnx.halves(weights, [slots * (to - from), inputs, height, width]),
        this.#biases(group, from, to),
      ],
      this.#attributes(this.#window(group, height, width), slots),
    );
  }

  #depthwise(group: OperatorGroup): string {
    const [kernel] = this.#inputTensors(group, 1);
    if (kernel === undefined) throw new Error('an empty group');
    const shape = this.tflite.shape(kernel);
    const [height, width, inner] = [1, 2, 3].map((axis) => dimension(shape, axis)) as [number, number, number];
    const total = group.operators.length * group.channels;
    const weights = this.#stack(group, 1, (bits) =>
      channelsFirst(bits, { outer: 1, positions: height * width, inner }, { outer: 1, inner: group.channels }),
    );
    return this.onnx.node(
      'Conv',
      [this.#inputs(group, 0), this.onnx.halves(weights, [total, 1, height, width]), this.#biases(group)],
      this.#attributes(this.#window(group, height, width), total),
    );
  }

  #biases(group: OperatorGroup, from = 0, to = group.channels): string {
    const biases = this.#stack(group, 2, (bits) =>
      Uint16Array.from({ length: to - from }, (_, at) => bits[from + at] ?? 0),
    );
    return this.onnx.halves(biases, [biases.length]);
  }

  #maxPool(group: OperatorGroup): string {
    const [operator] = group.operators;
    const height = operator?.option(LAYER_OPTION.filterH) ?? 0;
    const width = operator?.option(LAYER_OPTION.filterW) ?? 0;
    const window = this.#window(group, height, width);
    return this.onnx.node('MaxPool', [this.#inputs(group, 0)], {
      kernel_shape: window.kernel,
      strides: window.strides,
      pads: window.pads,
    });
  }

  /**
   * Zero channels appended: a 1×1 convolution with the identity, which the blocked layout has and Pad
   * has not. Nothing where the last block has room for them.
   */
  #channelPad(group: OperatorGroup): string {
    const given = this.#channelsOfInput(group);
    const input = this.#inputs(group, 0);
    if (given === group.channels) return input;
    const slots = group.operators.length;
    const outputs = slots * group.channels;
    const weights = new Float32Array(outputs * given);
    for (let output = 0; output < outputs; output++) {
      const channel = output % group.channels;
      if (channel < given) weights[output * given + channel] = 1;
    }
    return this.onnx.node('Conv', [input, this.onnx.floats(weights, [outputs, given, 1, 1])], {
      group: slots,
      kernel_shape: [1, 1],
    });
  }

  /**
   * max(0, x) + a·min(0, x) = x + (1 − a)·relu(−x). With s = sign(1 − a) that is
   * x + s·relu(−|1 − a|·x): a depthwise 1×1 convolution with a fused relu and, where a channel has
   * a > 1, a second one for the sign.
   */
  #prelu(group: OperatorGroup): string {
    const x = this.#inputs(group, 0);
    const rest = this.#inputTensors(group, 1).flatMap((tensor) => {
      const slopes = this.tflite.numbers(tensor);
      return Array.from({ length: group.channels }, (_, channel) => 1 - (slopes[channel] ?? 1));
    });
    const perChannel = (weights: number[], input: string): string =>
      this.onnx.node('Conv', [input, this.onnx.floats(weights, [rest.length, 1, 1, 1])], {
        group: rest.length,
        kernel_shape: [1, 1],
      });
    const scaled = perChannel(
      rest.map((value) => -Math.abs(value)),
      x,
    );
    const negative = this.onnx.node('Relu', [scaled]);
    const signed = perChannel(
      rest.map((value) => (value < 0 ? -1 : 1)),
      negative,
    );
    return this.onnx.node('Add', [signed, x]);
  }
}

/** [outer, positions, inner] to [outer, inner, positions], made wider with zeros. */
function channelsFirst(
  bits: Uint16Array,
  given: { readonly outer: number; readonly positions: number; readonly inner: number },
  wanted: { readonly outer: number; readonly inner: number },
): Uint16Array {
  const { positions } = given;
  const arranged = new Uint16Array(wanted.outer * wanted.inner * positions);
  for (let o = 0; o < given.outer; o++) {
    for (let p = 0; p < positions; p++) {
      for (let i = 0; i < given.inner; i++) {
        arranged[(o * wanted.inner + i) * positions + p] = bits[(o * positions + p) * given.inner + i] ?? 0;
      }
    }
  }
  return arranged;
}
