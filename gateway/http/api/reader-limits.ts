import { type BucketLimits, fullBucket, type TokenBucket, takeTokens } from '../../session/token-bucket.ts';
import { HttpFault } from '../faults.ts';

/** Requests of one reader that are worked on at once: as many as a page of the dashboard needs quickly. */
export const MAX_AT_ONCE = 4;
/** More of the reader's wait for these. */
export const MAX_WAITING = 60;
/** Exports of one student for one reader: each reads all that is stored of the student. */
export const EXPORT_LIMITS: BucketLimits = { perSecond: 1 / 60, burst: 5 };

function tooMany(message: string): HttpFault {
  return new HttpFault(429, 'too_many_requests', message);
}

interface Places {
  taken: number;
  readonly waiting: (() => void)[];
}

/** What one reader may ask for: a few requests at a time, so that no reader holds up the others', and few exports. */
export class ReaderLimits {
  readonly #now: () => number;
  /** Of readers who have a request under way. */
  readonly #places = new Map<number, Places>();
  /** By reader and student; those that are full again are forgotten. */
  readonly #exports = new Map<string, TokenBucket>();

  /** `now` is a monotonic clock, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a place, waiting for it; resolves with what gives it back. Throws HttpFault `too_many_requests`. */
  async enter(readerId: number): Promise<() => void> {
    const places = this.#places.get(readerId) ?? { taken: 0, waiting: [] };
    this.#places.set(readerId, places);
    if (places.taken < MAX_AT_ONCE) places.taken += 1;
    else if (places.waiting.length < MAX_WAITING) await new Promise<void>((resolve) => places.waiting.push(resolve));
    else throw tooMany(`${MAX_WAITING} of your requests wait already; ask for less at once`);
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      const next = places.waiting.shift();
      if (next !== undefined) next();
      else if (places.taken === 1) this.#places.delete(readerId);
      else places.taken -= 1;
    };
  }

  /** Counts an export. Throws HttpFault `too_many_requests`. */
  countExport(readerId: number, studentId: number): void {
    const nowMs = this.#now();
    const key = `${readerId} ${studentId}`;
    const drawn = takeTokens(this.#exports.get(key) ?? fullBucket(EXPORT_LIMITS, nowMs), EXPORT_LIMITS, nowMs, 1);
    this.#exports.delete(key);
    this.#exports.set(key, drawn.bucket);
    const fullAfterMs = (EXPORT_LIMITS.burst / EXPORT_LIMITS.perSecond) * 1000;
    for (const [oldest, { updatedAtMs }] of this.#exports) {
      if (nowMs - updatedAtMs < fullAfterMs) break;
      this.#exports.delete(oldest);
    }
    if (!drawn.taken) throw tooMany('you have just exported this student several times; once a minute is possible');
  }
}
