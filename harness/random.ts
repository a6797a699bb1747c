/** Uniform numbers in [0, 1) from a seed (mulberry32, Tommy Ettinger, public domain). The same seed gives the same numbers. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Whole numbers from 0 to `limit` − 1, the same for the same seed. */
export function seededIntegers(seed: number): (limit: number) => number {
  const random = seededRandom(seed);
  return (limit) => Math.floor(random() * limit);
}

/** A number from `low` to `high`, in hundredths. */
export function between(random: () => number, low: number, high: number): number {
  return Math.round((low + (high - low) * random()) * 100) / 100;
}

/** A normally distributed number, mean 0 and standard deviation 1, of uniform ones (Box and Muller, 1958). */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
