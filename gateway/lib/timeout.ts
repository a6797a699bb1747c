import type { Clock } from './clock.ts';

const MACHINE: Pick<Clock, 'after'> = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** What `work` resolves with, or `late` after `limitMs`. Rejects as `work` does if that comes first. */
export async function within<T, L>(
  work: Promise<T>,
  limitMs: number,
  late: L,
  clock: Pick<Clock, 'after'> = MACHINE,
): Promise<T | L> {
  let cancel: () => void = () => undefined;
  const expired = new Promise<L>((resolve) => {
    cancel = clock.after(limitMs, () => resolve(late));
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    cancel();
  }
}
