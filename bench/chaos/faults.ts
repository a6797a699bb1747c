import { setTimeout as delay } from 'node:timers/promises';

/** Something that can be taken away and given back. */
export interface Fault {
  readonly name: string;
  /** What it acts on: one fault at a time for each. */
  readonly target: string;
  /** Shortest and longest time that it lasts, ms. */
  readonly lastsMs: readonly [number, number];
  begin(): Promise<void>;
  end(): Promise<void>;
}

/**
 * Begins faults at random, several at once but one per target, for `forMs`; resolves with their numbers by name when all of
 * them have ended. Rejects with what a fault rejects with.
 */
export async function injectFaults(
  faults: readonly Fault[],
  forMs: number,
  random: () => number,
  onFault: (name: string, lastsMs: number) => void,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const busy = new Map<string, Promise<void>>();
  const untilMs = performance.now() + forMs;
  // Each fault once before any of them comes again, so that a short run has them all.
  let deck: Fault[] = [];
  while (performance.now() < untilMs) {
    if (deck.length === 0) deck = [...faults].sort(() => random() - 0.5);
    const fault = deck.find(({ target }) => !busy.has(target));
    if (fault !== undefined) {
      deck = deck.filter((other) => other !== fault);
      const [shortestMs, longestMs] = fault.lastsMs;
      const lastsMs = Math.round(shortestMs + random() * (longestMs - shortestMs));
      counts[fault.name] = (counts[fault.name] ?? 0) + 1;
      onFault(fault.name, lastsMs);
      const lasting = (async () => {
        await fault.begin();
        await delay(lastsMs);
        await fault.end();
        busy.delete(fault.target);
      })();
      lasting.catch(() => undefined);
      busy.set(fault.target, lasting);
    }
    await delay(500 + random() * 2000);
  }
  await Promise.all(busy.values());
  return counts;
}
