import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Yields every address of a host name. Rejects when the name cannot be resolved. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/** Asks the system's resolver; an address stands for itself. */
export const resolveAll: Resolve = async (hostname) => {
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) return [bare];
  const found = await lookup(bare, { all: true });
  return [...new Set(found.map(({ address }) => address))];
};
