/** Whole ms as `m:ss`, or `h:mm:ss` from an hour on. Rounds down, as clocks do. */
export function clockTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Whole ms as `m:ss.t`, to the nearest tenth of a second: for sums that have to add up as printed. */
export function tenthsTime(ms: number): string {
  const tenths = Math.round(ms / 100);
  const seconds = (tenths % 600) / 10;
  return `${Math.floor(tenths / 600)}:${seconds.toFixed(1).padStart(4, '0')}`;
}

/** A length of time in words: `0.4 s`, `42 s`, `3 min 5 s`, `1 h 2 min`. Null is a dash. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms === 0) return '0 s';
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `part` of `whole` as a fraction 0–1; null when there is no whole. */
export function share(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

/** A fraction 0–1 as percent. Never rounds something to nothing, or nearly all to all. Null is a dash. */
export function percent(fraction: number | null): string {
  if (fraction === null) return '–';
  if (fraction > 0 && fraction < 0.005) return '< 1 %';
  if (fraction < 1 && fraction > 0.995) return '> 99 %';
  return `${Math.round(fraction * 100)} %`;
}

/** Bytes in kB or MB of 1000. */
export function dataAmount(bytes: number): string {
  if (bytes < 1_000_000) return `${bytes < 10_000 ? (bytes / 1000).toFixed(1) : Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
