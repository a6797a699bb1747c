import { RelayError } from '../../../shared/errors.ts';
import { EYE_REGIONS } from '../../../shared/vision/eye-regions.ts';
import { MESH_POINTS, MESH_SIZE } from '../../../shared/vision/mesh-output.ts';
import { cutRegion, type PlacedRegion, placeRegions } from '../../../shared/vision/mesh-regions.ts';
import {
  decodeNetwork,
  type Layer,
  type NetworkPlan,
  type RegionLayer,
  unpackWeights,
} from '../../../shared/vision/network.ts';

/** Exports of kernels.as; addresses are bytes. */
interface Kernels {
  stem(
    input: number,
    planePixels: number,
    pitchPixels: number,
    channels: number,
    kernel: number,
    weights: number,
    bias: number,
    slope: number,
    output: number,
    size: number,
    blocks: number,
  ): void;
  depthwise(
    input: number,
    size: number,
    step: number,
    before: number,
    weights: number,
    bias: number,
    output: number,
    outSize: number,
    blocks: number,
  ): void;
  pointwise(
    input: number,
    pixels: number,
    channels: number,
    weights: number,
    bias: number,
    slope: number,
    added: number,
    addBlocks: number,
    output: number,
    blocks: number,
  ): void;
  pool(input: number, size: number, output: number, blocks: number): void;
}

const PAGE_BYTES = 65_536;
const FLOAT_BYTES = 4;

/** A network in memory. Runs one input at a time. */
export interface Network {
  /** `planes`: channel after channel, size × size each. Outputs are views that the next run overwrites. */
  run(planes: Float32Array): void;
  /** Values of an output, its rows packed; a copy. */
  output(index: number): Float32Array;
  /** Where the regions were put in the last run; empty for a network without. */
  readonly regions: readonly PlacedRegion[];
  readonly plan: NetworkPlan;
}

/**
 * Makes a network ready: `module` is the kernels', `file` what encodeNetwork wrote. Rejects with RelayError
 * `network_invalid`, or with what WebAssembly says where it has no SIMD.
 */
export async function openNetwork(module: WebAssembly.Module, file: Uint8Array): Promise<Network> {
  const { plan, weights: packed } = decodeNetwork(file);
  const weights = unpackWeights(plan, packed);
  const { size, channels, before, after } = plan.input;
  const pitch = size + before + after;
  const weightFloats = weights.reduce((sum, { matrix, bias }) => sum + matrix.length + 2 * bias.length, 0);
  // The last pixels of a row are read four at a time.
  const inputFloats = Math.ceil((channels * pitch * pitch) / 4) * 4 + 64;
  const bytes = (weightFloats + inputFloats + plan.floats) * FLOAT_BYTES;
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const kernels = instance.exports as unknown as Kernels;
  const floats = new Float32Array(memory.buffer);

  let next = 0;
  const take = (values: Float32Array): number => {
    floats.set(values, next);
    const at = next;
    next += values.length;
    return at * FLOAT_BYTES;
  };
  const placed = weights.map(({ matrix, bias, slope }) => ({
    matrix: take(matrix),
    bias: take(bias),
    slope: take(slope),
  }));
  const inputAt = next;
  const base = next + inputFloats;
  const address = (place: number): number => (base + place) * FLOAT_BYTES;
  const view = (place: number, count: number): Float32Array => floats.subarray(base + place, base + place + count);

  let regions: readonly PlacedRegion[] = [];
  const cut = (layer: RegionLayer): void => {
    const mesh = view(layer.mesh, MESH_POINTS * 3);
    const features = view(layer.features, layer.columns * layer.columns * layer.channels);
    regions = placeRegions(EYE_REGIONS, mesh, layer.columns / MESH_SIZE);
    const side = EYE_REGIONS.size;
    layer.to.forEach((to, index) => {
      const region = regions[index];
      if (region === undefined) return;
      cutRegion(features, layer.columns, layer.channels, region, side, view(to, side * side * layer.channels));
    });
  };

  let weighted = 0;
  const step = (layer: Layer): (() => void) => {
    if (layer.kind === 'regions') return () => cut(layer);
    const to = address(layer.to);
    if (layer.kind === 'pool') {
      const from = address(layer.from);
      return () => kernels.pool(from, layer.size, to, layer.blocks);
    }
    const own = placed[weighted++];
    if (own === undefined) throw new RelayError('network_invalid', 'a layer without weights');
    const { matrix, bias, slope } = own;
    switch (layer.kind) {
      case 'stem':
        return () =>
          kernels.stem(
            inputAt * FLOAT_BYTES,
            pitch * pitch,
            pitch,
            layer.channels,
            layer.kernel,
            matrix,
            bias,
            slope,
            to,
            layer.outSize,
            layer.blocks,
          );
      case 'depthwise': {
        const from = address(layer.from);
        return () =>
          kernels.depthwise(from, layer.size, layer.step, layer.before, matrix, bias, to, layer.outSize, layer.blocks);
      }
      case 'pointwise': {
        const from = address(layer.from);
        const added = layer.added === null ? 0 : address(layer.added.from);
        const addBlocks = layer.added?.blocks ?? 0;
        return () =>
          kernels.pointwise(
            from,
            layer.pixels,
            layer.channels,
            matrix,
            bias,
            slope,
            added,
            addBlocks,
            to,
            layer.blocks,
          );
      }
    }
  };
  const steps = plan.layers.map(step);

  return {
    plan,
    get regions() {
      return regions;
    },
    run: (planes) => {
      for (let channel = 0; channel < channels; channel++) {
        for (let row = 0; row < size; row++) {
          const from = (channel * size + row) * size;
          const to = inputAt + (channel * pitch + row + before) * pitch + before;
          floats.set(planes.subarray(from, from + size), to);
        }
      }
      for (const run of steps) run();
    },
    output: (index) => {
      const output = plan.outputs[index];
      if (output === undefined) throw new RangeError(`the network has no output ${index}`);
      const { at, values, stride, rows } = output;
      const packedValues = new Float32Array(values * rows);
      for (let row = 0; row < rows; row++) {
        packedValues.set(view(at + row * stride, values), row * values);
      }
      return packedValues;
    },
  };
}
