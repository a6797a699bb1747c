import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, RelayError } from '../../shared/errors.ts';
import { packageFolder } from '../packages.ts';
import type { Size } from './region.ts';

const PACKAGE = '@jsquash/webp';
const LIBRARY = 'codec/dec/webp_dec.wasm';

/** What the package's decoder gives; its own types name a browser's ImageData. */
interface Decoded {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}
type Decode = (file: Uint8Array) => Promise<Decoded>;

let opening: Promise<Decode> | null = null;

async function open(): Promise<Decode> {
  const folder = packageFolder(PACKAGE);
  if (folder === null) throw new RelayError('package_missing', `${PACKAGE} is not installed`, { hint: 'run `npm ci`' });
  const [{ default: decode, init }, library] = await Promise.all([
    import('@jsquash/webp/decode.js'),
    readFile(join(folder, LIBRARY)),
  ]);
  // A compiled module, for the package would fetch it from an address otherwise; its types do not say that it takes one.
  await init(new WebAssembly.Module(library) as never);
  return decode as unknown as Decode;
}

/**
 * RGBA pixels of a WebP file that passed guardImage, by libwebp in WebAssembly: a file that its code was not made for
 * reaches nothing outside, and a face crop takes a third of the time that libvips takes for it. An ICC profile is not
 * looked at, as it is not in a JPEG. Loaded with the first picture. Rejects with RelayError `image_corrupt` when the file
 * cannot be decoded or is not of the size its header says, `package_missing` when the package is not there.
 */
export async function decodeWebp(bytes: Uint8Array, header: Size): Promise<Uint8Array> {
  opening ??= open();
  const decode = await opening.catch((error: unknown) => {
    opening = null;
    throw error;
  });
  let decoded: Decoded;
  try {
    decoded = await decode(bytes);
  } catch (error) {
    // After a trap the module's memory means nothing: the next picture gets a new one.
    if (error instanceof WebAssembly.RuntimeError) opening = null;
    throw new RelayError('image_corrupt', describeError(error), { cause: error });
  }
  const { data, width, height } = decoded;
  if (width !== header.widthPx || height !== header.heightPx) {
    throw new RelayError(
      'image_corrupt',
      `decoded to ${width}×${height}, the header says ${header.widthPx}×${header.heightPx}`,
    );
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
