import { ByteBuffer } from 'flatbuffers';
import { toObject } from 'flatbuffers/mjs/flexbuffers.js';
import { halfToNumber } from '../../shared/half.ts';

/** Operators of the two models, by their number in TFLite's schema (tensorflow/lite/schema/schema.fbs). */
export const TFLITE_OPERATOR = {
  add: 0,
  concatenation: 2,
  conv2d: 3,
  depthwiseConv2d: 4,
  dequantize: 6,
  maxPool2d: 17,
  mul: 18,
  relu: 19,
  reshape: 22,
  custom: 32,
  pad: 34,
  stridedSlice: 45,
  prelu: 54,
} as const;

export type TfliteOperatorName = keyof typeof TFLITE_OPERATOR;

const NAME_BY_CODE = new Map<number, TfliteOperatorName>(
  Object.entries(TFLITE_OPERATOR).map(([name, code]) => [code, name as TfliteOperatorName]),
);

/** Element types, as TFLite numbers them. */
export const TFLITE_TYPE = { float32: 0, float16: 1, int32: 2 } as const;

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  /** Raw little-endian bytes of a constant; null for what is computed. */
  readonly data: Uint8Array | null;
}

export interface TfliteOperator {
  readonly name: TfliteOperatorName;
  /** Name of a custom operator, else ''. */
  readonly customName: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Builtin options as unsigned bytes by field number; absent fields have their default, 0. */
  readonly option: (field: number) => number;
  /** A custom operator's own options. */
  readonly customOptions: Readonly<Record<string, unknown>>;
}

// Option fields of Conv2DOptions, DepthwiseConv2DOptions and Pool2DOptions in schema.fbs.
export const LAYER_OPTION = { padding: 0, strideW: 1, strideH: 2, filterW: 3, filterH: 4 };
export const PADDING_SAME = 0;

/** TensorFlow's SAME padding of one axis, before and after: what cannot be split evenly goes to the end. */
export function samePadding(size: number, kernel: number, stride: number): [number, number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

interface GraphParts {
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** A graph of operators on numbered tensors. Where a tensor is asked for, `undefined` and an unknown number throw. */
export class TfliteGraph {
  readonly tensors: readonly TfliteTensor[];
  /** In the order in which they can run. */
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly #producers = new Map<number, TfliteOperator>();

  constructor({ tensors, operators, inputs, outputs }: GraphParts) {
    this.tensors = tensors;
    this.operators = operators;
    this.inputs = inputs;
    this.outputs = outputs;
    for (const operator of operators) {
      const [output] = operator.outputs;
      if (output !== undefined) this.#producers.set(output, operator);
    }
  }

  shape(tensor: number | undefined): readonly number[] {
    const shape = this.tensors[tensor ?? -1]?.shape;
    if (shape === undefined) throw new Error(`the TFLite model has no tensor ${tensor}`);
    return shape;
  }

  /** The operator whose first output is the tensor. */
  producer(tensor: number | undefined): TfliteOperator {
    const operator = this.#producers.get(tensor ?? -1);
    if (operator === undefined) throw new Error(`tensor ${tensor} is computed by no operator`);
    return operator;
  }

  customOperators(name: string): TfliteOperator[] {
    return this.operators.filter((operator) => operator.customName === name);
  }

  /** The raw half-precision bits of a constant. */
  halves(tensor: number | undefined): Uint16Array {
    const producer = this.#producers.get(tensor ?? -1);
    const source = this.tensors[(producer?.name === 'dequantize' ? producer.inputs[0] : tensor) ?? -1];
    if (source?.data == null || source.type !== TFLITE_TYPE.float16) {
      throw new Error(`tensor ${tensor} is no half-precision constant`);
    }
    const view = new DataView(source.data.buffer, source.data.byteOffset, source.data.byteLength);
    const bits = new Uint16Array(view.byteLength / 2);
    for (let index = 0; index < bits.length; index++) bits[index] = view.getUint16(index * 2, true);
    return bits;
  }

  /** A half-precision constant as numbers. */
  numbers(tensor: number | undefined): number[] {
    return Array.from(this.halves(tensor), halfToNumber);
  }

  /** The graph without the operators that the tensors `outputs` do not depend on; its constants stay. */
  neededFor(outputs: readonly number[]): TfliteGraph {
    const needed = new Set(outputs);
    const operators = this.operators
      .toReversed()
      .filter((operator) => {
        const isNeeded = operator.name === 'dequantize' || operator.outputs.some((output) => needed.has(output));
        if (isNeeded) for (const input of operator.inputs) needed.add(input);
        return isNeeded;
      })
      .toReversed();
    return new TfliteGraph({ tensors: this.tensors, operators, inputs: this.inputs, outputs: this.outputs });
  }
}

/** A table of a FlatBuffer. Fields are numbered as in the schema file, from 0. */
class Table {
  readonly #buffer: ByteBuffer;
  readonly #position: number;

  constructor(buffer: ByteBuffer, position: number) {
    this.#buffer = buffer;
    this.#position = position;
  }

  static root(buffer: ByteBuffer): Table {
    return new Table(buffer, buffer.readInt32(buffer.position()) + buffer.position());
  }

  #at(field: number): number | null {
    const offset = this.#buffer.__offset(this.#position, 4 + 2 * field);
    return offset === 0 ? null : this.#position + offset;
  }

  int32(field: number): number {
    const at = this.#at(field);
    return at === null ? 0 : this.#buffer.readInt32(at);
  }

  uint8(field: number): number {
    const at = this.#at(field);
    return at === null ? 0 : this.#buffer.readUint8(at);
  }

  text(field: number): string {
    const at = this.#at(field);
    return at === null ? '' : String(this.#buffer.__string(at));
  }

  table(field: number): Table | null {
    const at = this.#at(field);
    return at === null ? null : new Table(this.#buffer, this.#buffer.__indirect(at));
  }

  #elements<T>(field: number, size: number, read: (at: number) => T): T[] {
    const at = this.#at(field);
    if (at === null) return [];
    const start = this.#buffer.__vector(at);
    return Array.from({ length: this.#buffer.__vector_len(at) }, (_, index) => read(start + size * index));
  }

  int32s(field: number): number[] {
    return this.#elements(field, 4, (at) => this.#buffer.readInt32(at));
  }

  tables(field: number): Table[] {
    return this.#elements(field, 4, (at) => new Table(this.#buffer, this.#buffer.__indirect(at)));
  }

  bytes(field: number): Uint8Array {
    const at = this.#at(field);
    if (at === null) return new Uint8Array();
    const start = this.#buffer.__vector(at);
    return this.#buffer.bytes().subarray(start, start + this.#buffer.__vector_len(at));
  }
}

// Field numbers of tensorflow/lite/schema/schema.fbs.
const MODEL = { operatorCodes: 1, subgraphs: 2, buffers: 4 };
const OPERATOR_CODE = { oldCode: 0, customName: 1, code: 3 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2, name: 3 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2, options: 4, customOptions: 5 };

/**
 * Reads a TFLite model of one subgraph. Expects a file whose sha256 was checked: a malformed one
 * throws whatever the FlatBuffer reader does, an operator outside TFLITE_OPERATOR throws an Error.
 */
export function readTflite(bytes: Uint8Array): TfliteGraph {
  const model = Table.root(new ByteBuffer(bytes));
  const buffers = model.tables(MODEL.buffers).map((buffer) => buffer.bytes(0));
  const codes = model.tables(MODEL.operatorCodes).map((entry) => {
    const code = Math.max(entry.uint8(OPERATOR_CODE.oldCode), entry.int32(OPERATOR_CODE.code));
    const name = NAME_BY_CODE.get(code);
    if (name === undefined) throw new Error(`TFLite operator ${code} has no mapping`);
    return { name, customName: entry.text(OPERATOR_CODE.customName) };
  });
  const [subgraph] = model.tables(MODEL.subgraphs);
  if (subgraph === undefined) throw new Error('the TFLite model has no graph');
  return new TfliteGraph({
    tensors: subgraph.tables(SUBGRAPH.tensors).map((tensor) => {
      const data = buffers[tensor.int32(TENSOR.buffer)];
      return {
        name: tensor.text(TENSOR.name),
        shape: tensor.int32s(TENSOR.shape),
        type: tensor.uint8(TENSOR.type),
        data: data === undefined || data.length === 0 ? null : data,
      };
    }),
    operators: subgraph.tables(SUBGRAPH.operators).map((operator) => {
      const code = codes[operator.int32(OPERATOR.code)];
      if (code === undefined) throw new Error('the TFLite model names an operator it does not declare');
      const options = operator.table(OPERATOR.options);
      const custom = operator.bytes(OPERATOR.customOptions);
      return {
        ...code,
        inputs: operator.int32s(OPERATOR.inputs),
        outputs: operator.int32s(OPERATOR.outputs),
        option: (field: number) => options?.uint8(field) ?? 0,
        customOptions: custom.length === 0 ? {} : (toObject(Uint8Array.from(custom).buffer) as Record<string, unknown>),
      };
    }),
    inputs: subgraph.int32s(SUBGRAPH.inputs),
    outputs: subgraph.int32s(SUBGRAPH.outputs),
  });
}
