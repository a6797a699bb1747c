import { dimension, shapeOf, type Wave, WaveGraph } from './waves.ts';

// Option fields of Conv2DOptions, DepthwiseConv2DOptions and Pool2DOptions in schema.fbs.
const OPTION = { padding: 0, strideW: 1, strideH: 2, filterW: 3, filterH: 4 };
const PADDING_SAME = 0;

type FourNumbers = [number, number, number, number];

interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** ONNX order: top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

/** TensorFlow's SAME padding of one axis: what cannot be split evenly goes to the end. */
function samePadding(size: number, kernel: number, stride: number): [number, number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/**
 * Translates the plain layers of a TFLite graph (NHWC) into ONNX operators (NCHW) in the form that
 * onnxruntime keeps in its blocked layout throughout: no PRelu, no Pad.
 */
export class Lowering extends WaveGraph {
  protected override emit(wave: Wave): string {
    const [first] = wave.operators;
    if (first === undefined) throw new Error('a graph input was not bound');
    switch (first.name) {
      case 'conv2d':
        return this.convolution(wave);
      case 'depthwiseConv2d':
        return this.depthwise(wave);
      case 'maxPool2d':
        return this.maxPool(wave);
      case 'pad':
        return this.channelPad(wave);
      case 'prelu':
        return this.prelu(wave);
      case 'add':
        return this.onnx.node('Add', [this.inputs(wave, 0), this.inputs(wave, 1)]);
      case 'relu':
        return this.widened(wave) ?? this.onnx.node('Relu', [this.inputs(wave, 0)]);
      default:
        throw new Error(`TFLite operator ${first.name} ${first.customName} has no mapping here`);
    }
  }

  private inputTensors(wave: Wave, position: number): number[] {
    return wave.operators.map((operator) => {
      const tensor = operator.inputs[position];
      if (tensor === undefined) throw new Error(`a ${operator.name} has no input ${position}`);
      return tensor;
    });
  }

  /** Channels of one lane of a wave's first input. */
  private channelsOfInput(wave: Wave): number {
    const [input] = this.inputTensors(wave, 0);
    const lane = input === undefined ? undefined : this.lanes.get(input);
    if (lane === undefined) throw new Error('an input that is computed by no operator');
    return lane.wave.channels;
  }

  private inputs(wave: Wave, position: number): string {
    return this.value(this.inputTensors(wave, position));
  }

  private window(wave: Wave, kernelH: number, kernelW: number): Window {
    const [operator] = wave.operators;
    const [input] = this.inputTensors(wave, 0);
    if (operator === undefined || input === undefined) throw new Error('an empty wave');
    const shape = shapeOf(this.tflite, input);
    const strideH = operator.option(OPTION.strideH);
    const strideW = operator.option(OPTION.strideW);
    const same = operator.option(OPTION.padding) === PADDING_SAME;
    const [top, bottom] = same ? samePadding(dimension(shape, 1), kernelH, strideH) : [0, 0];
    const [left, right] = same ? samePadding(dimension(shape, 2), kernelW, strideW) : [0, 0];
    return { kernel: [kernelH, kernelW], strides: [strideH, strideW], pads: [top, left, bottom, right] };
  }

  private attributes(window: Window, group: number): Record<string, number | readonly number[]> {
    return { group, kernel_shape: window.kernel, strides: window.strides, pads: window.pads };
  }

  /** Stacks one constant of every lane along its first axis, after `arrange` brought each into ONNX order. */
  private stack(wave: Wave, position: number, arrange: (bits: Uint16Array) => Uint16Array): Uint16Array {
    const parts = this.inputTensors(wave, position).map((tensor) => arrange(this.halves(tensor)));
    const stacked = new Uint16Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      stacked.set(part, at);
      at += part.length;
    }
    return stacked;
  }

  /** The one operator that computes the wave's input at `position`; null if there are several or it is an input of the graph. */
  private source(wave: Wave, position: number): Wave | null {
    const [input, ...others] = this.inputTensors(wave, position);
    const lane = input === undefined || others.length > 0 ? undefined : this.lanes.get(input);
    return lane !== undefined && lane.wave.operators.length === 1 ? lane.wave : null;
  }

  /**
   * relu(pad(x) + conv(y)) where pad adds blocks of zero channels: the channels that x has and those
   * that it has not, each from its own convolution, put together. Null for any other relu.
   */
  private widened(relu: Wave): string | null {
    const add = this.source(relu, 0);
    if (add?.operators[0]?.name !== 'add') return null;
    const [pad, conv] = [this.source(add, 0), this.source(add, 1)];
    if (pad?.operators[0]?.name !== 'pad' || conv?.operators[0]?.name !== 'conv2d') return null;
    const given = this.channelsOfInput(pad);
    if (given === pad.channels) return null;
    const shared = this.onnx.node('Add', [this.inputs(pad, 0), this.convolution(conv, 0, given)]);
    const added = this.convolution(conv, given, conv.channels);
    return this.onnx.node('Concat', [this.onnx.node('Relu', [shared]), this.onnx.node('Relu', [added])], { axis: 1 });
  }

  private convolution(wave: Wave, from = 0, to = wave.channels): string {
    const [kernel] = this.inputTensors(wave, 1);
    if (kernel === undefined) throw new Error('an empty wave');
    const shape = shapeOf(this.tflite, kernel);
    const [outer, height, width, inner] = [0, 1, 2, 3].map((axis) => dimension(shape, axis)) as FourNumbers;
    const lanes = wave.operators.length;
    const inputs = this.channelsOfInput(wave);
    const perOutput = inputs * height * width;
    const weights = this.stack(wave, 1, (bits) =>
      channelsFirst(
        bits,
        { outer, positions: height * width, inner },
        { outer: wave.channels, inner: inputs },
      ).subarray(from * perOutput, to * perOutput),
    );
    return this.onnx.node(
      'Conv',
      [
        this.inputs(wave, 0),
        this.onnx.halves(weights, [lanes * (to - from), inputs, height, width]),
        this.biases(wave, from, to),
      ],
      this.attributes(this.window(wave, height, width), lanes),
    );
  }

  private depthwise(wave: Wave): string {
    const [kernel] = this.inputTensors(wave, 1);
    if (kernel === undefined) throw new Error('an empty wave');
    const shape = shapeOf(this.tflite, kernel);
    const [height, width, inner] = [1, 2, 3].map((axis) => dimension(shape, axis)) as [number, number, number];
    const total = wave.operators.length * wave.channels;
    const weights = this.stack(wave, 1, (bits) =>
      channelsFirst(bits, { outer: 1, positions: height * width, inner }, { outer: 1, inner: wave.channels }),
    );
    return this.onnx.node(
      'Conv',
      [this.inputs(wave, 0), this.onnx.halves(weights, [total, 1, height, width]), this.biases(wave)],
      this.attributes(this.window(wave, height, width), total),
    );
  }

  private biases(wave: Wave, from = 0, to = wave.channels): string {
    const biases = this.stack(wave, 2, (bits) =>
      Uint16Array.from({ length: to - from }, (_, at) => bits[from + at] ?? 0),
    );
    return this.onnx.halves(biases, [biases.length]);
  }

  private maxPool(wave: Wave): string {
    const [operator] = wave.operators;
    const height = operator?.option(OPTION.filterH) ?? 0;
    const width = operator?.option(OPTION.filterW) ?? 0;
    const window = this.window(wave, height, width);
    return this.onnx.node('MaxPool', [this.inputs(wave, 0)], {
      kernel_shape: window.kernel,
      strides: window.strides,
      pads: window.pads,
    });
  }

  /**
   * Zero channels appended: a 1×1 convolution with the identity, which the blocked layout has and Pad
   * has not. Nothing where the last block has room for them.
   */
  private channelPad(wave: Wave): string {
    const given = this.channelsOfInput(wave);
    const input = this.inputs(wave, 0);
    if (given === wave.channels) return input;
    const lanes = wave.operators.length;
    const outputs = lanes * wave.channels;
    const weights = new Float32Array(outputs * given);
    for (let output = 0; output < outputs; output++) {
      const channel = output % wave.channels;
      if (channel < given) weights[output * given + channel] = 1;
    }
    return this.onnx.node('Conv', [input, this.onnx.floats(weights, [outputs, given, 1, 1])], {
      group: lanes,
      kernel_shape: [1, 1],
    });
  }

  /**
   * max(0, x) + a·min(0, x) = x + (1 − a)·relu(−x). With s = sign(1 − a) that is
   * x + s·relu(−|1 − a|·x): a depthwise 1×1 convolution with a fused relu and, where a channel has
   * a > 1, a second one for the sign.
   */
  private prelu(wave: Wave): string {
    const x = this.inputs(wave, 0);
    const rest = this.inputTensors(wave, 1).flatMap((tensor) => {
      const slopes = this.numbers(tensor);
      return Array.from({ length: wave.channels }, (_, channel) => 1 - (slopes[channel] ?? 1));
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
