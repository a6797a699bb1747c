import { RelayError } from '../errors.ts';
import { halfToNumber } from '../half.ts';

/** Channels are kept in blocks of this many; what a layer does not have is zero. */
export const LANES = 4;

/** Weights of one layer in the file: how each is written, and how many it needs for every output channel. */
export interface LayerWeights {
  /** `int8` has one scale for every output channel, `float16` none. */
  readonly encoding: 'int8' | 'float16';
  readonly perOutput: number;
}

interface Written {
  readonly to: number;
  readonly blocks: number;
}

interface Weighted extends Written {
  readonly weights: LayerWeights;
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

/** Regions of the face cut out of a feature map along the mesh: see mesh-regions.ts. */
export interface RegionLayer {
  readonly kind: 'regions';
  readonly mesh: number;
  readonly features: number;
  readonly columns: number;
  readonly channels: number;
  readonly to: readonly number[];
}

export type Layer = StemLayer | DepthwiseLayer | PointwiseLayer | PoolLayer | RegionLayer;

/** Parts of the face that the mesh model looks at again. */
export interface FaceRegions {
  /** Mesh points whose line is a region's x axis. */
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Mesh points that a region encloses. */
  readonly points: readonly (readonly number[])[];
  /** Region over enclosing box. */
  readonly scale: number;
  /** Width and height of the cut-out, in cells. */
  readonly size: number;
  /** Branches: the region of each, and how its points are scaled. */
  readonly branches: readonly number[];
  readonly localScale: number;
  readonly frameScale: number;
}

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
  readonly regions: FaceRegions | null;
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
export function matrixFloats(layer: Weighted): number {
  return layer.blocks * LANES * layer.weights.perOutput;
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

/** Bytes of one layer's weights in the file: scales (float32) for int8, the matrix, bias and slope (float16). */
export function weightBytes(layer: Weighted): number {
  const outputs = layer.blocks * LANES;
  const matrix = layer.weights.encoding === 'int8' ? outputs * 4 + matrixFloats(layer) : matrixFloats(layer) * 2;
  return matrix + outputs * 4;
}

/** Weights of all layers that have some, in order, as numbers. Throws RelayError `network_invalid` when bytes are missing. */
export function unpackWeights(plan: NetworkPlan, bytes: Uint8Array): readonly UnpackedWeights[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const halves = (count: number): Float32Array => {
    const values = new Float32Array(count);
    for (let index = 0; index < count; index++, at += 2) values[index] = halfToNumber(view.getUint16(at, true));
    return values;
  };
  return plan.layers.filter(isWeighted).map((layer) => {
    if (at + weightBytes(layer) > bytes.length) {
      throw new RelayError('network_invalid', 'the network’s weights are cut off', { hint: 'load it again' });
    }
    const outputs = layer.blocks * LANES;
    const count = matrixFloats(layer);
    let matrix: Float32Array;
    if (layer.weights.encoding === 'float16') {
      matrix = halves(count);
    } else {
      const { perOutput } = layer.weights;
      matrix = new Float32Array(count);
      const scales = at;
      at += outputs * 4;
      for (let block = 0, index = 0; block < layer.blocks; block++) {
        for (let step = 0; step < perOutput * LANES; step++, index++) {
          const scale = view.getFloat32(scales + (block * LANES + (step % LANES)) * 4, true);
          matrix[index] = scale * view.getInt8(at + index);
        }
      }
      at += count;
    }
    return { matrix, bias: halves(outputs), slope: halves(outputs) };
  });
}
