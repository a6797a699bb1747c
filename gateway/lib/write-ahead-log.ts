/** Sizes in bytes and marks of SQLite's write-ahead log: https://www.sqlite.org/fileformat2.html#walformat */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The lowest bit says that checksums read words big-endian. */
const MAGIC = 0x377f0682;

type Sum = readonly [number, number];

function checksum(bytes: Buffer, isBigEndian: boolean, [first, second]: Sum): Sum {
  let [a, b] = [first, second];
  const word = (at: number) => (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + word(at) + b) >>> 0;
    b = (b + word(at + 4) + a) >>> 0;
  }
  return [a, b];
}

const sumAt = (bytes: Buffer, at: number): Sum => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
const isEqual = (one: Sum, other: Sum): boolean => one[0] === other[0] && one[1] === other[1];

/**
 * Number of frames of a write-ahead log, given as its bytes, that SQLite passes over although a commit is among them; 0 for a sound log.
 * SQLite stops at the first frame whose checksum is wrong. Frames behind it that belong to an earlier round (other salts),
 * or to a transaction that was never committed, are no loss.
 */
export function damagedFrames(log: Buffer): number {
  if (log.length < HEADER_BYTES + FRAME_HEADER_BYTES) return 0;
  const pageBytes = log.readUInt32BE(8);
  const isBigEndian = (log.readUInt32BE(0) & 1) === 1;
  let sum = checksum(log.subarray(0, 24), isBigEndian, [0, 0]);
  const isHeaderSound = (log.readUInt32BE(0) & ~1) >>> 0 === MAGIC && isEqual(sum, sumAt(log, 24));
  // Without its header nothing of a log is read, and the size of its frames is unknown: it counts as one.
  if (!isHeaderSound) return 1;
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  let firstWrong: number | null = null;
  let lastCommit: number | null = null;
  for (let frame = 0; HEADER_BYTES + (frame + 1) * frameBytes <= log.length; frame += 1) {
    const start = HEADER_BYTES + frame * frameBytes;
    const isOfThisRound = log.compare(log, 16, 24, start + 8, start + 16) === 0;
    if (firstWrong === null) {
      sum = checksum(log.subarray(start, start + 8), isBigEndian, sum);
      sum = checksum(log.subarray(start + FRAME_HEADER_BYTES, start + frameBytes), isBigEndian, sum);
      if (!isOfThisRound || !isEqual(sum, sumAt(log, start + 16))) firstWrong = frame;
    }
    // The size of the database after a commit; 0 in all other frames.
    if (firstWrong !== null && isOfThisRound && log.readUInt32BE(start + 4) !== 0) lastCommit = frame;
  }
  return firstWrong === null || lastCommit === null ? 0 : lastCommit - firstWrong + 1;
}
