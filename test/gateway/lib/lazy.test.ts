import { describe, expect, it } from 'vitest';
import { lazy } from '../../../gateway/lib/lazy.ts';

function partWith(log: string[], fail: () => boolean = () => false) {
  return lazy(async () => {
    log.push('open');
    if (fail()) throw new Error('not yet');
    return {
      double: async (value: number) => value * 2,
      close: async () => void log.push('close'),
    };
  });
}

describe('a lazy part', () => {
  it('is opened once, by its first use', async () => {
    const log: string[] = [];
    const part = partWith(log);
    expect(part.opened()).toBeNull();
    const [first, second] = await Promise.all([part.open(), part.open()]);
    expect(first).toBe(second);
    expect(part.opened()).toBe(first);
    expect([await first.double(2), log]).toEqual([4, ['open']]);
  });

  it('close closes what is open or being opened, and opens nothing', async () => {
    const log: string[] = [];
    await partWith(log).close();
    expect(log).toEqual([]);
    const part = partWith(log);
    const opening = part.open();
    await part.close();
    expect([await (await opening).double(1), log]).toEqual([2, ['open', 'close']]);
  });

  it('a failure to open reaches all that wait, and the next use tries again', async () => {
    let failing = true;
    const part = partWith([], () => failing);
    await expect(part.open()).rejects.toThrow('not yet');
    failing = false;
    expect(await (await part.open()).double(1)).toBe(2);
  });
});
