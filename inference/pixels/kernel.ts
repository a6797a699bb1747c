import { Buffer } from 'node:buffer';
import type { RectPx } from '../../shared/geometry.ts';
import { type ImageQuality, type PixelMap, qualityOf, type TensorFormat } from '../../shared/vision/image.ts';
import { KERNEL_WASM_BASE64 } from './kernel-bytes.ts';

/** False on a processor or a runtime without WebAssembly SIMD. */
export function kernelIsSupported(): boolean {
  return WebAssembly.validate(kernelBytes());
}

function kernelBytes(): Uint8Array {
  return Buffer.from(KERNEL_WASM_BASE64, 'base64');
}

/** Exports of index.as. */
interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly INPUT: WebAssembly.Global;
  readonly PICTURE: WebAssembly.Global;
  readonly TENSOR: WebAssembly.Global;
  decode(length: number, left: number, top: number, right: number, bottom: number): number;
  pictureWidth(): number;
  pictureHeight(): number;
  sample(
    width: number,
    height: number,
    size: number,
    ax: number,
    bx: number,
    cx: number,
    ay: number,
    by: number,
    cy: number,
    low: number,
    high: number,
    black: number,
  ): void;
  measure(size: number): void;
  luma(): number;
  variance(): number;
}

/** Outcome of a decoding: `unsupported` is a good file of a kind that is left to another decoder. */
export type KernelVerdict = 'done' | 'unsupported' | 'corrupt';
const VERDICTS: readonly KernelVerdict[] = ['done', 'unsupported', 'corrupt'];

/** Longest file the module has room for. */
export const KERNEL_MAX_BYTES = 512 * 1024;
/** Sizes of tensors it makes are multiples of this. */
const TENSOR_STEP = 4;
const LARGEST_TENSOR = 192;

/**
 * The WebAssembly module: a JPEG decoder and a sampler around one memory. It holds one picture at a
 * time, which load or decode replaces.
 */
export class PixelKernel {
  readonly #exports: KernelExports;
  readonly #input: Uint8Array;
  readonly #picture: Uint8Array;
  readonly #tensors = new Map<number, Float32Array>();

  /** Throws where kernelIsSupported says false. */
  constructor() {
    const module = new WebAssembly.Module(kernelBytes());
    this.#exports = new WebAssembly.Instance(module).exports as KernelExports;
    const { buffer } = this.#exports.memory;
    this.#input = new Uint8Array(buffer, this.#exports.INPUT.value, KERNEL_MAX_BYTES);
    this.#picture = new Uint8Array(buffer, this.#exports.PICTURE.value);
  }

  /** Decodes a JPEG file as far as `region` (image pixels) needs it; pixels elsewhere mean nothing. */
  decode(bytes: Uint8Array, region: RectPx): KernelVerdict {
    if (bytes.length > KERNEL_MAX_BYTES) return 'unsupported';
    this.#input.set(bytes);
    const { xPx, yPx, widthPx, heightPx } = region;
    return VERDICTS[this.#exports.decode(bytes.length, xPx, yPx, xPx + widthPx, yPx + heightPx)] ?? 'corrupt';
  }

  /** Takes RGBA pixels, at most 1280×960 or 960×1280. */
  load(rgba: Uint8Array): void {
    this.#picture.set(rgba);
  }

  /** RGBA of a picture of that many pixels: a view that the next picture overwrites. */
  pixels(widthPx: number, heightPx: number): Uint8Array {
    return this.#picture.subarray(0, widthPx * heightPx * 4);
  }

  /**
   * Samples the picture of that size along `map` into a tensor and says what it looks like. The
   * tensor is a view that the next call overwrites. Throws RangeError for a size it has no room for.
   */
  sample(widthPx: number, heightPx: number, map: PixelMap, format: TensorFormat): [Float32Array, ImageQuality] {
    const { sizePx, low, high, outside } = format;
    const black = outside === 'black' ? 1 : 0;
    const tensor = this.#tensor(sizePx);
    const { ax, bx, cx, ay, by, cy } = map;
    this.#exports.sample(widthPx, heightPx, sizePx, ax, bx, cx, ay, by, cy, low, high, black);
    this.#exports.measure(sizePx);
    return [tensor, qualityOf(this.#exports.luma(), this.#exports.variance(), format)];
  }

  #tensor(sizePx: number): Float32Array {
    let tensor = this.#tensors.get(sizePx);
    if (tensor === undefined) {
      if (sizePx % TENSOR_STEP !== 0 || sizePx < TENSOR_STEP || sizePx > LARGEST_TENSOR) {
        throw new RangeError(`no tensor of ${sizePx}×${sizePx}`);
      }
      tensor = new Float32Array(this.#exports.memory.buffer, this.#exports.TENSOR.value, 3 * sizePx * sizePx);
      this.#tensors.set(sizePx, tensor);
    }
    return tensor;
  }
}
