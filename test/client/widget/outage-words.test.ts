import { expect, it } from 'vitest';
import { outageWords } from '../../../client/widget/outage-words.ts';

it('says in an outage of device mode that the lesson is kept, not that it waits', () => {
  expect(outageWords('device').meaning).toMatch(/kept here and delivered later/);
  expect(outageWords('server').title).toBe('Reconnecting');
});
