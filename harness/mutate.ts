import { mutateStructure } from './mutate-picture.ts';

/** Bytes that decoders treat specially: markers, lengths and table sizes are made of them. */
const TELLING = [0x00, 0x01, 0x0f, 0x10, 0x7f, 0x80, 0xc0, 0xc2, 0xc4, 0xd0, 0xd8, 0xd9, 0xda, 0xdb, 0xdd, 0xfe, 0xff];

/**
 * A damaged copy of a picture or message: bytes changed, cut out, doubled, cut off, or most of it from another one; every
 * third picture in its structure.
 */
export function mutate(bytes: Uint8Array, other: Uint8Array, below: (limit: number) => number): Uint8Array {
  const structural = below(3) === 0 ? mutateStructure(bytes, below) : null;
  if (structural !== null) return structural;
  const at = below(bytes.length);
  // Half of the damage goes to the headers, where it reaches furthest.
  const place = (): number => (below(2) === 0 ? below(Math.min(700, bytes.length)) : below(bytes.length));
  switch (below(6)) {
    case 0: {
      const cut = below(64);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + cut)]);
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - below(200)))]);
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(Math.min(other.length, at))]);
    default: {
      const damaged = Uint8Array.from(bytes);
      for (let change = 1 + below(12); change > 0; change--) {
        damaged[place()] = below(2) === 0 ? below(256) : (TELLING[below(TELLING.length)] ?? 0);
      }
      return damaged;
    }
  }
}
