import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseStored, type PhpDelta } from '../../../../gateway/eyelearn/php/delta.ts';

const total = (posts: readonly PhpDelta[]) => posts.reduce((sum, post) => sum + post.focusedS + post.unfocusedS, 0);

describe('which uncertain posts were stored', () => {
  it('is decided for the hundred posts of a bad hour though no choice of them is the surplus', () => {
    // Even seconds of each kind and an odd surplus: 2^100 choices would have to be tried, none of which fits.
    const posts = Array.from({ length: 100 }, (_, index) => ({
      focusedS: 30 + 2 * (index % 7),
      unfocusedS: 2 * (index % 5),
    }));
    const surplus = { focusedS: 1501, unfocusedS: 201 };
    const decided = chooseStored(posts, surplus);
    const chosen = posts.filter((_, index) => decided[index]);
    expect(total(chosen)).toBe(1500 + 200);
  });

  it('never adds up to more than the surplus, and is the best choice there is', () => {
    const post = fc.record({ focusedS: fc.nat({ max: 40 }), unfocusedS: fc.nat({ max: 40 }) });
    fc.assert(
      fc.property(fc.array(post, { maxLength: 8 }), post, (posts, surplus) => {
        const fits = (chosen: readonly PhpDelta[]) =>
          chosen.reduce((sum, { focusedS }) => sum + focusedS, 0) <= surplus.focusedS &&
          chosen.reduce((sum, { unfocusedS }) => sum + unfocusedS, 0) <= surplus.unfocusedS;
        const decided = chooseStored(posts, surplus);
        const chosen = posts.filter((_, index) => decided[index]);
        expect(fits(chosen)).toBe(true);
        let best = 0;
        for (let choice = 0; choice < 2 ** posts.length; choice += 1) {
          const tried = posts.filter((_, index) => (choice >> index) & 1);
          if (fits(tried)) best = Math.max(best, total(tried));
        }
        expect(total(chosen)).toBe(best);
      }),
    );
  });

  it('falls back to the largest posts that fit where there are too many sums', () => {
    const posts = Array.from({ length: 60 }, (_, index) => ({ focusedS: 3000 + index, unfocusedS: 3000 - index }));
    const decided = chooseStored(posts, { focusedS: 90_000, unfocusedS: 90_000 });
    const chosen = posts.filter((_, index) => decided[index]);
    expect(chosen).toHaveLength(29);
  });
});
