/** One line in so many ms: what a stranger can cause again and again, or as a flood, does not fill the log. */
const LINE_EVERY_MS = 60_000;

/** Writes the first of a kind at once, then at most one a minute, with the number since the line before. */
export type SampledLines = (kind: string, write: (count: number) => void) => void;

/** `now` is a monotonic clock, ms. Kinds are remembered for good: the caller has few of them. */
export function sampledLines(now: () => number): SampledLines {
  const kinds = new Map<string, { writtenAtMs: number; unwritten: number }>();
  return (kind, write) => {
    const known = kinds.get(kind) ?? { writtenAtMs: Number.NEGATIVE_INFINITY, unwritten: 0 };
    kinds.set(kind, known);
    known.unwritten += 1;
    const atMs = now();
    if (atMs - known.writtenAtMs < LINE_EVERY_MS) return;
    write(known.unwritten);
    known.writtenAtMs = atMs;
    known.unwritten = 0;
  };
}
