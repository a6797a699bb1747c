import { describe, expect, it } from 'vitest';
import { addressOwner } from '../../../gateway/http/client-address.ts';
import { MOST_NEWCOMERS, Newcomers } from '../../../gateway/http/pending-connections.ts';

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

describe('newcomers', () => {
  it('of all addresses together there are at most so many; each that leaves makes room, once', () => {
    const newcomers = new Newcomers();
    const leave = Array.from({ length: MOST_NEWCOMERS }, (_, index) => newcomers.enter(`owner ${index}`));
    expect(leave.includes(null)).toBe(false);
    expect(newcomers.enter('one more')).toBeNull();
    leave[0]?.();
    leave[0]?.();
    expect(newcomers.enter('one more')).not.toBeNull();
    expect(newcomers.enter('yet another')).toBeNull();
  });
});
