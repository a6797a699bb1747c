import type { Logger } from '../lib/logger.ts';

/** One line in so many ms: a page that tries again and again, or a flood, does not fill the log. */
const LINE_EVERY_MS = 60_000;

/** Writes connections of origins that are not allowed to the log: the first at once, then at most one line a minute with their number. */
export function refusedOrigins(logger: Logger, now: () => number): (origin: string) => void {
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let unwritten = 0;
  return (origin) => {
    unwritten += 1;
    const atMs = now();
    if (atMs - writtenAtMs < LINE_EVERY_MS) return;
    logger.warn(
      { code: 'origin_not_allowed', origin: origin.slice(0, 200), refused: unwritten },
      'connection refused; add the origin to ALLOWED_ORIGINS',
    );
    writtenAtMs = atMs;
    unwritten = 0;
  };
}
