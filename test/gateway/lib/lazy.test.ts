import { describe, expect, it } from 'vitest';
import { openLater } from '../../../gateway/lib/later.ts';

interface Part {
  readonly kind: string;
  depth(): number;
  double(value: number): Promise<number>;
  close(): Promise<void>;
}

function partWith(log: string[], fail: () => boolean = () => false) {
  return openLater<Part>({ kind: 'early', depth: () => 0 }, async () => {
    log.push('open');
    if (fail()) throw new Error('not yet');
    return {
      kind: 'real',
      depth: () => 7,
      double: async (value) => value * 2,
      close: async () => void log.push('close'),
    };
  });
}

describe('a part that is opened later', () => {
  it('answers at once what it was given to say, and the rest when it is open; opened once', async () => {
    const log: string[] = [];
    const { part, open } = partWith(log);
    expect([part.kind, part.depth()]).toEqual(['early', 0]);
    expect(await Promise.all([part.double(2), part.double(3)])).toEqual([4, 6]);
    await open();
    expect([part.kind, part.depth(), log]).toEqual(['real', 7, ['open']]);
  });

  it('closing closes what is open or opening, and opens nothing', async () => {
    const log: string[] = [];
    await partWith(log).part.close();
    expect(log).toEqual([]);
    const { part } = partWith(log);
    const answer = part.double(1);
    await part.close();
    expect([await answer, log]).toEqual([2, ['open', 'close']]);
  });

  it('what fails to open says why to everyone who waits, and is tried again by the next', async () => {
    let failing = true;
    const { part } = partWith([], () => failing);
    await expect(part.double(1)).rejects.toThrow('not yet');
    failing = false;
    expect(await part.double(1)).toBe(2);
  });
});
