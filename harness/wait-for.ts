import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `read` gives something true and returns it. Rejects with `what` when that takes over `withinMs`. */
export async function waitFor<T>(
  what: string,
  read: () => T | Promise<T>,
  { withinMs = 60_000, everyMs = 20 } = {},
): Promise<T> {
  const giveUpAtMs = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (performance.now() > giveUpAtMs) throw new Error(`waited ${withinMs} ms for ${what}`);
    await delay(everyMs);
  }
}
