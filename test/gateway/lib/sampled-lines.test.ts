import { expect, it } from 'vitest';
import { sampledLines } from '../../../gateway/lib/sampled-lines.ts';

it('a flood leaves one line a minute for each kind, with its number', () => {
  let nowMs = 0;
  const lines: [string, number, number][] = [];
  const sampled = sampledLines(() => nowMs);
  for (let index = 0; index < 1200; index += 1) {
    for (const kind of index === 700 ? ['often', 'once'] : ['often']) {
      sampled(kind, (count) => lines.push([kind, index, count]));
    }
    nowMs += 100;
  }
  expect(lines).toEqual([
    ['often', 0, 1],
    ['often', 600, 600],
    ['once', 700, 1],
  ]);
});
