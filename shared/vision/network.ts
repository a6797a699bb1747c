import { RelayError } from '../errors.ts';
import { halfToNumber } from '../half.ts';

/** Channels are kept in blocks of this many; what a layer does not have is zero. */
export const LANES = 4;

interface Written {
  readonly to: number;
  readonly blocks: number;
}

interface Weighted extends Written {
  /** Weights for each output channel. */
  readonly perOutput: number;
}

/** First layer: a kernel×kernel convolution, stride 2, of padded planes; ends in the rectifier. */
export interface StemLayer extends Weighted {
  readonly kind: 'stem';
  readonly channels: number;
  readonly kernel: number;
  readonly outSize: number;
}

/** 3×3 for each channel by itself; `before` rows and columns of padding at the start. */
export interface DepthwiseLayer extends Weighted {
  readonly kind: 'depthwise';
  readonly from: number;
  readonly size: number;
  readonly step: 1 | 2;
  readonly before: number;
  readonly outSize: number;
}

/** Every pixel times a matrix, plus `added` where it is not null, through the rectifier. */
export interface PointwiseLayer extends Weighted {
  readonly kind: 'pointwise';
  readonly from: number;
  readonly pixels: number;
  readonly channels: number;
  readonly added: { readonly from: number; readonly blocks: number } | null;
}

/** The largest of each 2×2. */
export interface PoolLayer extends Written {
  readonly kind: 'pool';
  readonly from: number;
  readonly size: number;
}

/** The eyes cut out of a feature map along the mesh: see eye-regions.ts. */
export interface RegionLayer {
  readonly kind: 'regions';
  readonly mesh: number;
  readonly features: number;
  readonly columns: number;
  readonly channels: number;
  readonly to: readonly number[];
}

export type Layer = StemLayer | DepthwiseLayer | PointwiseLayer | PoolLayer | RegionLayer;

/** A network ready to run. Places (`from`, `to`, …) count floats from the start of the activations. */
export interface NetworkPlan {
  /** Side of the square input, its channels, and the zero padding before and after it. */
  readonly input: {
    readonly size: number;
    readonly channels: number;
    readonly before: number;
    readonly after: number;
  };
  readonly layers: readonly Layer[];
  /** Floats of activations. */
  readonly floats: number;
  /** Where the results are, in the order that the network's user knows. */
  readonly outputs: readonly {
    readonly at: number;
    readonly values: number;
    readonly stride: number;
    readonly rows: number;
  }[];
  /** Cells of a cut-out for one unit of the branches' points; null for a network without branches. */
  readonly cellsPerUnit: number | null;
}

/** A layer's weights as the kernels read them. */
export interface UnpackedWeights {
  readonly matrix: Float32Array;
  readonly bias: Float32Array;
  /** Of the rectifier where its input is negative. */
  readonly slope: Float32Array;
}

export function isWeighted(layer: Layer): layer is StemLayer | DepthwiseLayer | PointwiseLayer {
  return layer.kind !== 'pool' && layer.kind !== 'regions';
}

/** Floats of a layer's matrix. */
function matrixFloats(layer: Weighted): number {
  return layer.blocks * LANES * layer.perOutput;
}

const MAGIC = 0x47524e31;

/** One network: magic, length of its plan, the plan as JSON, then the bytes of its weights. */
export function encodeNetwork(plan: NetworkPlan, weights: Uint8Array): Uint8Array {
  // Names and numbers: no character beyond ASCII.
  const json = Uint8Array.from(JSON.stringify(plan), (character) => character.charCodeAt(0));
  const bytes = new Uint8Array(8 + json.length + weights.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, json.length);
  bytes.set(json, 8);
  bytes.set(weights, 8 + json.length);
  return bytes;
}

/** Reads what encodeNetwork wrote. Throws RelayError `network_invalid`. */
export function decodeNetwork(bytes: Uint8Array): { readonly plan: NetworkPlan; readonly weights: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(0) !== MAGIC || view.getUint32(4) > bytes.length - 8) {
    throw new RelayError('network_invalid', 'the file holds no network', { hint: 'load it again; it may be cut off' });
  }
  const end = 8 + view.getUint32(4);
  const plan = JSON.parse(String.fromCharCode(...bytes.subarray(8, end))) as NetworkPlan;
  return { plan, weights: bytes.subarray(end) };
}

/**
 * Weights of all layers that have some, in order, as numbers. In the file they are half-precision: matrix
 * [block][step][lane], bias, slope. Throws RelayError `network_invalid` when bytes are missing.
 */
export function unpackWeights(plan: NetworkPlan, bytes: Uint8Array): readonly UnpackedWeights[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const halves = (count: number): Float32Array => {
    if (at + count * 2 > bytes.length) {
      throw new RelayError('network_invalid', 'the network’s weights are cut off', { hint: 'load it again' });
    }
    const values = new Float32Array(count);
    for (let index = 0; index < count; index++, at += 2) values[index] = halfToNumber(view.getUint16(at, true));
    return values;
  };
  return plan.layers.filter(isWeighted).map((layer) => {
    const outputs = layer.blocks * LANES;
    return { matrix: halves(matrixFloats(layer)), bias: halves(outputs), slope: halves(outputs) };
  });
}
