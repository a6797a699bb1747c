import { describe, expect, it } from 'vitest';
import {
  newRecord,
  nextTransport,
  showsBlocked,
  type TransportRecord,
  verdictOf,
} from '../../../client/connection/transport-choice.ts';
import { TransportMemory } from '../../../client/connection/transport-memory.ts';

const NOW_MS = 100_000;

/** A WebSocket that lived for 5 s, with what `change` says. */
function record(change: Partial<TransportRecord> = {}): TransportRecord {
  return { ...newRecord('websocket', NOW_MS - 5000), ...change };
}

describe('what a connection says of its transport', () => {
  it.each([
    ['could not be opened', { closeCode: 1006 }, 'fails'],
    ['was silent', {}, 'fails'],
    ['let the welcome through and no update', { messages: 2 }, 'fails'],
    ['was cut early', { messages: 9, updates: 7, closeCode: 1006 }, 'short'],
    ['was cut after ten seconds', { messages: 9, updates: 7, startedAtMs: NOW_MS - 10_000 }, 'works'],
    ['was cut in a pause of capture', { messages: 2, startedAtMs: NOW_MS - 30_000 }, 'works'],
    ['was refused by the gateway', { messages: 1, closeCode: 4401 }, 'works'],
    ['met a gateway that restarts', { messages: 2, closeCode: 1001 }, 'works'],
  ] as const)('a WebSocket that %s: %s', (_what, change, expected) => {
    expect(verdictOf(record(change), NOW_MS)).toBe(expected);
  });
});

describe('the transport to try next', () => {
  const cut = { messages: 9, updates: 7, closeCode: 1006 };

  it('is the other one after one that failed, in both directions', () => {
    expect(nextTransport(record(), 0, NOW_MS).kind).toBe('post');
    expect(nextTransport(record({ kind: 'post' }), 0, NOW_MS).kind).toBe('websocket');
  });

  it('is the same after one that worked', () => {
    const worked = { messages: 2, closeCode: 1001 };
    expect(nextTransport(record(worked), 0, NOW_MS).kind).toBe('websocket');
    expect(nextTransport(record({ ...worked, kind: 'post' }), 0, NOW_MS).kind).toBe('post');
  });

  it('is POSTs after two WebSockets in a row that were cut early', () => {
    const first = nextTransport(record(cut), 0, NOW_MS);
    expect(first).toEqual({ kind: 'websocket', shorts: 1 });
    expect(nextTransport(record(cut), first.shorts, NOW_MS).kind).toBe('post');
  });

  it('stays POSTs where those end early: they have no connection to be cut', () => {
    expect(nextTransport(record({ ...cut, kind: 'post' }), 5, NOW_MS).kind).toBe('post');
  });
});

describe('what a WebSocket that failed says of the network', () => {
  it.each([
    ['open and silent', { opened: true }, true],
    ['open, with a welcome and no update', { opened: true, messages: 2 }, true],
    ['cut after updates', { opened: true, messages: 9, updates: 7, closeCode: 1006 }, true],
    ['never open: the gateway may be away', { closeCode: 1006 }, false],
    ['never open and never closed', {}, false],
    ['closed before an update: the gateway may have ended', { opened: true, messages: 1, closeCode: 1006 }, false],
  ] as const)('%s', (_what, change, expected) => {
    expect(showsBlocked(record(change))).toBe(expected);
  });
});

describe('what is remembered of a network', () => {
  function memory(network = 'wifi') {
    const stored = new Map<string, string>();
    const world = { network, nowMs: 1_000_000 };
    const storage = {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
      removeItem: (key: string) => void stored.delete(key),
    };
    const options = { storage: () => storage, key: 'key', network: () => world.network, nowMs: () => world.nowMs };
    return { memory: new TransportMemory(options), world, stored };
  }

  it('is that POSTs were the way through, for twelve hours', () => {
    const { memory: remembered, world } = memory();
    expect(remembered.saysPost).toBe(false);
    remembered.note(true);
    expect(remembered.saysPost).toBe(true);
    world.nowMs += 12 * 3_600_000 - 1;
    expect(remembered.saysPost).toBe(true);
    world.nowMs += 1;
    expect(remembered.saysPost).toBe(false);
  });

  it('does not hold for a network of another kind', () => {
    const { memory: remembered, world } = memory();
    remembered.note(true);
    world.network = 'cellular';
    expect(remembered.saysPost).toBe(false);
  });

  it('is dropped when a WebSocket works', () => {
    const { memory: remembered, stored } = memory();
    remembered.note(true);
    remembered.note(false);
    expect([remembered.saysPost, stored.size]).toEqual([false, 0]);
  });

  it('is nothing where the browser stores nothing, or something else', () => {
    const blocked = new TransportMemory({
      storage: () => {
        throw new Error('blocked');
      },
      key: 'key',
      network: () => '',
      nowMs: () => 0,
    });
    blocked.note(true);
    expect(blocked.saysPost).toBe(false);
    const { memory: remembered, stored } = memory();
    stored.set('key', 'not JSON');
    expect(remembered.saysPost).toBe(false);
  });
});
