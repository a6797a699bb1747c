/** How often work may be done. */
export interface WorkPace {
  /** Largest part of one processor that may go into it, 0–1. */
  readonly share: number;
  readonly minRestMs: number;
  readonly maxRestMs: number;
}

/**
 * Does work and resolves with how long to rest after it, ms, so that it takes at most its share of the processor.
 * Processor time counts: a process that is stopped or crowded out has not worked meanwhile. Rejects as `work` does.
 */
export async function restAfter(work: () => Promise<void>, { share, minRestMs, maxRestMs }: WorkPace): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return Math.max(minRestMs, Math.min((user + system) / 1000 / share, maxRestMs));
}
