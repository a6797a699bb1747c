import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../inference/pool/fair-queue.ts';

const [A, B, C] = [{}, {}, {}];

function drain(queue: FairQueue<string>): string[] {
  const items: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

describe('peers take turns', () => {
  it('however much one of them sends', () => {
    const queue = new FairQueue<string>(100);
    for (let index = 0; index < 5; index += 1) queue.push(A, `a${index}`);
    queue.push(B, 'b0');
    queue.push(C, 'c0');
    queue.push(C, 'c1');
    expect(drain(queue)).toEqual(['a0', 'b0', 'c0', 'a1', 'c1', 'a2', 'a3', 'a4']);
    expect(queue.size).toBe(0);
  });
});

describe('a full queue', () => {
  it('takes one of the peer with the most out for a peer with fewer, the newest', () => {
    const queue = new FairQueue<string>(4);
    for (const item of ['a0', 'a1', 'a2', 'a3']) expect(queue.push(A, item)).toEqual({ isTaken: true, evicted: null });
    expect(queue.push(A, 'a4')).toEqual({ isTaken: false, evicted: null });
    expect(queue.push(B, 'b0')).toEqual({ isTaken: true, evicted: 'a3' });
    expect(queue.push(B, 'b1')).toEqual({ isTaken: true, evicted: 'a2' });
    // Both have two: a change would gain nothing.
    expect(queue.push(B, 'b2')).toEqual({ isTaken: false, evicted: null });
    expect(queue.push(C, 'c0')).toMatchObject({ isTaken: true });
    expect(queue.size).toBe(4);
  });
});

it('an item that waits no more leaves its place', () => {
  const queue = new FairQueue<string>(2);
  queue.push(A, 'a0');
  queue.push(A, 'a1');
  expect(queue.heads()).toEqual(['a0']);
  expect(queue.remove(A, 'a0')).toBe(true);
  expect(queue.remove(A, 'a0')).toBe(false);
  expect(queue.push(A, 'a2').isTaken).toBe(true);
  expect(queue.clear()).toEqual(['a1', 'a2']);
  expect(drain(queue)).toEqual([]);
});
