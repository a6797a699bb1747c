import { describe, expect, it } from 'vitest';
import { addressOwner } from '../../../gateway/http/client-address.ts';
import { MAX_PENDING_CONNECTIONS, PendingConnections } from '../../../gateway/http/pending-connections.ts';

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
  it('of all addresses together there are at most so many; each that leaves makes room, once', () => {
    const pending = new PendingConnections();
    const leave = Array.from({ length: MAX_PENDING_CONNECTIONS }, (_, index) => pending.enter(`owner ${index}`));
    expect(leave.includes(null)).toBe(false);
    expect(pending.enter('one more')).toBeNull();
    leave[0]?.();
    leave[0]?.();
    expect(pending.enter('one more')).not.toBeNull();
    expect(pending.enter('yet another')).toBeNull();
  });
});
