import { RelayError } from '../errors.ts';

/** Several files as one: each behind its length (32 bits, big-endian). */
export function joinFiles(files: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(files.reduce((sum, file) => sum + 4 + file.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const file of files) {
    view.setUint32(at, file.length);
    bytes.set(file, at + 4);
    at += 4 + file.length;
  }
  return bytes;
}

/** What joinFiles joined, as views. Throws RelayError `network_invalid` when bytes are missing. */
export function splitFiles(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at) : bytes.length;
    if (at + 4 + length > bytes.length) {
      throw new RelayError('network_invalid', 'the models are cut off', { hint: 'load them again' });
    }
    files.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return files;
}
