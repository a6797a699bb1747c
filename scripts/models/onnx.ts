import protobuf from 'protobufjs/minimal.js';

/** Element types, as onnx.proto numbers them. */
export const ONNX_TYPE = { float32: 1, int64: 7, float16: 10 } as const;

const IR_VERSION = 8;
const OPSET = 17;

// Field numbers of onnx/onnx.proto.
const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, float: 2, int: 3, ints: 8, type: 20 };
const ATTRIBUTE_TYPE = { float: 1, int: 2, ints: 7 };
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 };

const BYTES = 2;
const VARINT = 0;
const FLOAT = 5;

type Writer = protobuf.Writer;

function tag(writer: Writer, field: number, wireType: number): Writer {
  return writer.uint32((field << 3) | wireType);
}

function putInt(writer: Writer, field: number, value: number): void {
  tag(writer, field, VARINT).int64(value);
}

function putText(writer: Writer, field: number, value: string): void {
  tag(writer, field, BYTES).string(value);
}

function putMessage(writer: Writer, field: number, write: (writer: Writer) => void): void {
  tag(writer, field, BYTES).fork();
  write(writer);
  writer.ldelim();
}

/** An attribute: whole numbers are ints; a float is given as `{ float }`. */
export type Attribute = number | readonly number[] | { readonly float: number };

interface Node {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface Initializer {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly number[];
  readonly raw: Uint8Array;
}

interface Port {
  readonly name: string;
  readonly shape: readonly number[];
}

function putAttribute(writer: Writer, name: string, value: Attribute): void {
  putText(writer, ATTRIBUTE.name, name);
  if (typeof value === 'number') {
    putInt(writer, ATTRIBUTE.int, value);
    putInt(writer, ATTRIBUTE.type, ATTRIBUTE_TYPE.int);
  } else if ('float' in value) {
    tag(writer, ATTRIBUTE.float, FLOAT).float(value.float);
    putInt(writer, ATTRIBUTE.type, ATTRIBUTE_TYPE.float);
  } else {
    for (const entry of value) putInt(writer, ATTRIBUTE.ints, entry);
    putInt(writer, ATTRIBUTE.type, ATTRIBUTE_TYPE.ints);
  }
}

function putPort(writer: Writer, port: Port): void {
  putText(writer, 1, port.name);
  putMessage(writer, 2, (type) =>
    putMessage(type, 1, (tensor) => {
      putInt(tensor, 1, ONNX_TYPE.float32);
      putMessage(tensor, 2, (shape) => {
        for (const size of port.shape) putMessage(shape, 1, (dimension) => putInt(dimension, 1, size));
      });
    }),
  );
}

/** Collects one ONNX graph. Value names are made here; the same calls give the same bytes. */
export class OnnxGraph {
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #initializers: Initializer[] = [];
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  readonly #outputNames = new Map<string, string>();
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Declares a float32 input and gives its value name. */
  input(name: string, shape: readonly number[]): string {
    this.#inputs.push({ name, shape });
    return name;
  }

  /** Declares `value`, which a node computes, as the float32 output `name`. Throws for a value that is an output already. */
  output(name: string, value: string, shape: readonly number[]): void {
    if (this.#outputNames.has(value)) throw new Error(`${value} is an output already`);
    // The value itself gets the name: an Identity would copy it.
    this.#outputNames.set(value, name);
    this.#outputs.push({ name, shape });
  }

  /** Adds a node with one output and gives its value name. */
  node(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.split(type, inputs, 1, attributes)[0] ?? '';
  }

  /** Adds a node with `outputs` outputs and gives their value names. */
  split(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => `v${this.#count++}`);
    this.#nodes.push({ type, inputs, outputs: names, attributes });
    return names;
  }

  #constant(type: number, dims: readonly number[], raw: Uint8Array): string {
    const name = `c${this.#initializers.length}`;
    this.#initializers.push({ name, type, dims, raw });
    return name;
  }

  floats(values: readonly number[] | Float32Array, dims: readonly number[]): string {
    const raw = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, index) => {
      raw.setFloat32(index * 4, value, true);
    });
    return this.#constant(ONNX_TYPE.float32, dims, new Uint8Array(raw.buffer));
  }

  /** Half-precision values, given as their bits, widened to float32 when the model is loaded. */
  halves(bits: Uint16Array, dims: readonly number[]): string {
    const raw = new DataView(new ArrayBuffer(bits.length * 2));
    bits.forEach((value, index) => {
      raw.setUint16(index * 2, value, true);
    });
    const name = this.#constant(ONNX_TYPE.float16, dims, new Uint8Array(raw.buffer));
    return this.node('Cast', [name], { to: ONNX_TYPE.float32 });
  }

  int64s(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const raw = new DataView(new ArrayBuffer(values.length * 8));
    values.forEach((value, index) => {
      raw.setBigInt64(index * 8, BigInt(value), true);
    });
    return this.#constant(ONNX_TYPE.int64, dims, new Uint8Array(raw.buffer));
  }

  /** The model as an ONNX file. */
  encode(): Uint8Array {
    const writer = protobuf.Writer.create();
    putInt(writer, MODEL.irVersion, IR_VERSION);
    putText(writer, MODEL.producer, 'gaze-relay');
    putMessage(writer, MODEL.graph, (graph) => {
      this.#nodes.forEach((node, index) => {
        putMessage(graph, GRAPH.node, (entry) => {
          for (const input of node.inputs) putText(entry, NODE.input, this.#outputNames.get(input) ?? input);
          for (const output of node.outputs) putText(entry, NODE.output, this.#outputNames.get(output) ?? output);
          putText(entry, NODE.name, `n${index}`);
          putText(entry, NODE.type, node.type);
          for (const [name, value] of Object.entries(node.attributes)) {
            putMessage(entry, NODE.attribute, (attribute) => putAttribute(attribute, name, value));
          }
        });
      });
      putText(graph, GRAPH.name, this.#name);
      for (const { name, type, dims, raw } of this.#initializers) {
        putMessage(graph, GRAPH.initializer, (tensor) => {
          for (const size of dims) putInt(tensor, TENSOR.dims, size);
          putInt(tensor, TENSOR.type, type);
          putText(tensor, TENSOR.name, name);
          tag(tensor, TENSOR.raw, BYTES).bytes(raw);
        });
      }
      for (const port of this.#inputs) putMessage(graph, GRAPH.input, (entry) => putPort(entry, port));
      for (const port of this.#outputs) putMessage(graph, GRAPH.output, (entry) => putPort(entry, port));
    });
    putMessage(writer, MODEL.opset, (opset) => {
      putText(opset, 1, '');
      putInt(opset, 2, OPSET);
    });
    return writer.finish();
  }
}
