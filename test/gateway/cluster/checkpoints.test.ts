import { describe, expect, it } from 'vitest';
import { type Part, writtenOf } from '../../../gateway/cluster/checkpoints.ts';

const state = { accounts: [], spans: [] };

function part(generation: number, parts: number, userIds: readonly number[], isFinal = false): Part {
  return { generation, parts, isFinal, students: userIds.map((userId) => ({ userId, state })) };
}

const studentsOf = (parts: readonly Part[]) => [...writtenOf(parts).byStudent.keys()].sort();

describe('what a gateway wrote last', () => {
  it('is its newest write, whatever longer writes have left behind it', () => {
    expect(studentsOf([part(8, 2, [1, 2]), part(8, 2, [3]), part(5, 3, [4])])).toEqual([1, 2, 3]);
  });

  it('is its newest two writes where the last one was cut off: who is in the first parts alone is not lost', () => {
    expect(studentsOf([part(9, 2, [1, 2]), part(8, 2, [2, 3]), part(5, 3, [4])])).toEqual([1, 2, 3]);
  });

  it('is final only as a whole', () => {
    expect(writtenOf([part(9, 2, [1], true), part(9, 2, [2], true)]).isFinal).toBe(true);
    expect(writtenOf([part(9, 2, [1], true), part(8, 2, [2])]).isFinal).toBe(false);
  });
});
