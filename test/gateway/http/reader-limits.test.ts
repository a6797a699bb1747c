import { expect, it } from 'vitest';
import { EXPORT_LIMITS, MAX_AT_ONCE, MAX_WAITING, ReaderLimits } from '../../../gateway/http/api/reader-limits.ts';

const REFUSED = { code: 'too_many_requests', status: 429 };

it('of one reader a few requests are worked on at once, more wait in order, and the rest are refused; others do not notice', async () => {
  const limits = new ReaderLimits(() => 0);
  const entered: number[] = [];
  const leaves: (() => void)[] = [];
  const asked = Array.from({ length: MAX_AT_ONCE + MAX_WAITING }, async (_, index) => {
    leaves.push(await limits.enter(7));
    entered.push(index);
  });
  await expect(limits.enter(7)).rejects.toMatchObject(REFUSED);
  (await limits.enter(8))();
  expect(entered).toEqual(Array.from({ length: MAX_AT_ONCE }, (_, index) => index));
  for (let left = 0; left < asked.length; left += 1) {
    // Twice: a place is given back once.
    leaves[left]?.();
    leaves[left]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(entered).toHaveLength(Math.min(asked.length, MAX_AT_ONCE + left + 1));
  }
  await Promise.all(asked);
  expect(entered).toEqual(asked.map((_, index) => index));
  for (let index = 0; index < MAX_AT_ONCE; index += 1) await limits.enter(7);
});

it('a student is exported a few times at once and then once a minute, for each reader', () => {
  let nowMs = 0;
  const limits = new ReaderLimits(() => nowMs);
  for (let index = 0; index < EXPORT_LIMITS.burst; index += 1) limits.countExport(7, 7);
  expect(() => limits.countExport(7, 7)).toThrow(expect.objectContaining(REFUSED));
  limits.countExport(1, 7);
  limits.countExport(7, 8);
  nowMs += 60_000;
  limits.countExport(7, 7);
  expect(() => limits.countExport(7, 7)).toThrow(expect.objectContaining(REFUSED));
});
