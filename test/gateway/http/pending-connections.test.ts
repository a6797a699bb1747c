import { describe, expect, it } from 'vitest';
import { addressOwner } from '../../../gateway/http/client-address.ts';
import {
  MAX_PENDING_CONNECTIONS,
  MAX_PENDING_PER_ADDRESS,
  PendingConnections,
} from '../../../gateway/http/pending-connections.ts';

describe('owner of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s → %s', (address, owner) => {
    expect(addressOwner(address)).toBe(owner);
  });
});

describe('pending connections', () => {
  /** Enters connections of these owners, named by their place in the list; `dropped` tells who lost theirs. */
  function entered(owners: readonly string[]) {
    const pending = new PendingConnections();
    const dropped: number[] = [];
    const leave = owners.map((owner, index) => pending.enter(owner, () => dropped.push(index)));
    return { pending, dropped, leave };
  }

  it('one too many of an address takes the place of the oldest of that address, not of a neighbour', () => {
    const own = Array<string>(MAX_PENDING_PER_ADDRESS + 2).fill('school');
    const { dropped } = entered(['neighbour', ...own]);
    expect(dropped).toEqual([1, 2]);
  });

  it('one too many of all takes the place of the oldest of all', () => {
    const { dropped } = entered(Array.from({ length: MAX_PENDING_CONNECTIONS + 1 }, (_, index) => `owner ${index}`));
    expect(dropped).toEqual([0]);
  });

  it('one that has shown its ticket keeps its connection and makes room, once', () => {
    const { pending, dropped, leave } = entered(Array<string>(MAX_PENDING_PER_ADDRESS).fill('school'));
    leave[0]?.();
    leave[0]?.();
    pending.enter('school', () => {});
    expect(dropped).toEqual([]);
    pending.enter('school', () => {});
    expect(dropped).toEqual([1]);
  });
});
