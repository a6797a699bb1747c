/** A JPEG segment or a WebP chunk. */
interface Part {
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
  readonly lengthAt: number;
}

/** How a format writes what its parts are made of. */
interface Format {
  readonly parts: readonly Part[];
  readonly kindBytes: number;
  readonly maxLength: number;
  readonly writeLength: (view: DataView, at: number, length: number) => void;
  /** Where a part has the picture's width and height, 16 bits each, from its body's start; null where it has none. */
  readonly sizeAt: (bytes: Uint8Array, part: Part) => number | null;
}

const MARKER = 0xff;
const START_OF_SCAN = 0xda;
const CHUNKS_FROM = 12;

const text = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function jpeg(bytes: Uint8Array): Format {
  const parts: Part[] = [];
  const view = viewOf(bytes);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === MARKER; ) {
    const end = Math.min(bytes.length, at + 2 + view.getUint16(at + 2));
    parts.push({ start: at, bodyStart: at + 4, end, lengthAt: at + 2 });
    if (bytes[at + 1] === START_OF_SCAN || end <= at + 2) break;
    at = end;
  }
  return {
    parts,
    kindBytes: 2,
    maxLength: 0xffff,
    writeLength: (target, at, length) => target.setUint16(at, length),
    // SOF0 to SOF2: after the precision.
    sizeAt: (source, { start }) => ([0xc0, 0xc1, 0xc2].includes(source[start + 1] ?? 0) ? 1 : null),
  };
}

function webp(bytes: Uint8Array): Format {
  const view = viewOf(bytes);
  const parts: Part[] = [{ start: 0, bodyStart: 8, end: CHUNKS_FROM, lengthAt: 4 }];
  for (let at = CHUNKS_FROM; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const end = Math.min(bytes.length, at + 8 + length + (length & 1));
    parts.push({ start: at, bodyStart: at + 8, end, lengthAt: at + 4 });
    at = end;
  }
  return {
    parts,
    kindBytes: 4,
    maxLength: 0xffff_ffff,
    writeLength: (target, at, length) => target.setUint32(at, length, true),
    sizeAt: (source, { start }) => ({ 'VP8 ': 6, VP8L: 1, VP8X: 4 })[text(source, start)] ?? null,
  };
}

function formatOf(bytes: Uint8Array): Format | null {
  if (bytes[0] === MARKER && bytes[1] === 0xd8) return jpeg(bytes);
  return bytes.length > CHUNKS_FROM && text(bytes, 0) === 'RIFF' ? webp(bytes) : null;
}

/**
 * A copy of a JPEG or WebP whose structure is wrong in one place: the length of a part, its kind, its order, or the
 * picture's size. Null for anything else. `below(n)` gives whole numbers from 0 to n − 1.
 */
export function mutateStructure(bytes: Uint8Array, below: (limit: number) => number): Uint8Array | null {
  const format = formatOf(bytes);
  if (format === null || format.parts.length === 0) return null;
  const { parts, kindBytes, maxLength, writeLength, sizeAt } = format;
  const one = parts[below(parts.length)] as Part;
  const other = parts[below(parts.length)] as Part;
  const damaged = Uint8Array.from(bytes);
  const view = viewOf(damaged);
  const of = (part: Part) => bytes.subarray(part.start, part.end);
  switch (below(6)) {
    case 0: {
      const length = one.end - one.bodyStart;
      const wrong = [0, 1, 2, length - 1, length + 1, length + 64, bytes.length, maxLength - 1, maxLength];
      if (one.lengthAt + 4 <= bytes.length) {
        writeLength(view, one.lengthAt, Math.max(0, Math.min(maxLength, wrong[below(wrong.length)] ?? 0)));
      }
      return damaged;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, one.start), bytes.subarray(one.end)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, one.end), of(other), bytes.subarray(one.end)]);
    case 3: {
      const [first, second] = one.start < other.start ? [one, other] : [other, one];
      if (first === second) return damaged;
      const between = bytes.subarray(first.end, second.start);
      return Buffer.concat([
        bytes.subarray(0, first.start),
        of(second),
        between,
        of(first),
        bytes.subarray(second.end),
      ]);
    }
    case 4:
      damaged.set(bytes.subarray(other.start, other.start + kindBytes), one.start);
      return damaged;
    default: {
      const sized = parts.flatMap((part) => {
        const at = sizeAt(bytes, part);
        return at === null ? [] : [part.bodyStart + at];
      });
      const sizes = [0, 1, 2, 15, 16_383, 16_384, 0x7fff, 0x8000, 0xffff, below(0x10000)];
      for (const at of sized) {
        for (const place of [at, at + 2]) {
          if (below(2) === 0 && place + 2 <= bytes.length)
            view.setUint16(place, sizes[below(sizes.length)] ?? 0, below(2) === 0);
        }
      }
      return damaged;
    }
  }
}
