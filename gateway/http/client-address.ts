import { isIPv6 } from 'node:net';

/** The eight groups of an IPv6 address, RFC 4291, section 2.2. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  if (tail === undefined) return front;
  const back = tail === '' ? [] : tail.split(':');
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
}

/**
 * The owner of an address, for counting: an IPv4 address itself, also where it is written as IPv6, and of IPv6 the
 * first 64 bits, because an owner of one address there has all of them. What is no address stands for itself.
 */
export function addressOwner(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  if (!isIPv6(plain)) return plain;
  const groups = groupsOf(plain.replace(/%.*$/, '')).slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
