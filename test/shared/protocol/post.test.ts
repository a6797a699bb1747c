import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RelayError } from '../../../shared/errors.ts';
import {
  closeCodeOf,
  closePart,
  decodePost,
  encodePost,
  MAX_POST_PARTS,
  MAX_TOKEN_BYTES,
  nextPostNumber,
  type Post,
} from '../../../shared/protocol/post.ts';

const POST: Post = {
  token: Uint8Array.of(0xaa, 0xbb),
  number: 0x0102,
  parts: [
    { kind: 'text', bytes: Uint8Array.of(0x7b, 0x7d) },
    { kind: 'binary', bytes: Uint8Array.of(0x12, 0x00, 0xff) },
    closePart(4409),
  ],
};

const POST_BYTES = Uint8Array.of(
  ...[0x10], // version 1, type 0
  ...[0x02, 0xaa, 0xbb], // the token
  ...[0x01, 0x02], // POST 258
  ...[0x00, 0x00, 0x00, 0x02, 0x7b, 0x7d], // a text, {}
  ...[0x01, 0x00, 0x00, 0x03, 0x12, 0x00, 0xff], // a binary message
  ...[0x02, 0x00, 0x00, 0x02, 0x11, 0x39], // a close, 4409
);

/** Ends of the whole parts of POST_BYTES, and of what precedes them. */
const WHOLE_AT: readonly number[] = [6, 12, 19, 25];

function codeOf(bytes: Uint8Array): string | null {
  try {
    decodePost(bytes);
    return null;
  } catch (error) {
    return error instanceof RelayError ? error.code : String(error);
  }
}

describe('H-2 bodies', () => {
  it('are encoded byte by byte as the protocol has it', () => {
    expect(encodePost(POST)).toEqual(POST_BYTES);
  });

  it('are decoded to what was encoded', () => {
    expect(decodePost(POST_BYTES)).toEqual(POST);
    const parts = fc.array(
      fc.record({ kind: fc.constantFrom('text', 'binary', 'close'), bytes: fc.uint8Array({ maxLength: 300 }) }),
      { maxLength: 20 },
    );
    const post = fc.record({
      token: fc.uint8Array({ maxLength: MAX_TOKEN_BYTES }),
      number: fc.nat(0xffff),
      parts,
    }) as fc.Arbitrary<Post>;
    fc.assert(
      fc.property(post, (given) => {
        expect(decodePost(encodePost(given))).toEqual(given);
      }),
    );
  });

  it('cut anywhere but between parts are refused', () => {
    for (let length = 0; length < POST_BYTES.length; length++) {
      const expected = WHOLE_AT.includes(length) ? null : 'post_invalid';
      expect([length, codeOf(POST_BYTES.subarray(0, length))]).toEqual([length, expected]);
    }
  });

  it.each([
    ['another version', Uint8Array.of(0x20, 0, 0, 0)],
    ['a message of the hot path', Uint8Array.of(0x11, 0, 0, 0)],
    ['a token that is too long', Uint8Array.of(0x10, 65, ...new Uint8Array(67))],
    ['an unknown kind of part', Uint8Array.of(0x10, 0, 0, 0, 3, 0, 0, 0)],
    ['a length beyond the body', Uint8Array.of(0x10, 0, 0, 0, 1, 0xff, 0xff, 0xff)],
    [
      'too many parts',
      encodePost({
        ...POST,
        parts: Array.from({ length: MAX_POST_PARTS + 1 }, () => ({ kind: 'text', bytes: new Uint8Array(0) })),
      }),
    ],
  ])('%s: refused', (_what, bytes) => {
    expect(codeOf(bytes)).toBe('post_invalid');
  });

  it('never fail in another way, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect([null, 'post_invalid']).toContain(codeOf(bytes));
      }),
    );
  });

  it('a close without a code has none', () => {
    expect(closeCodeOf({ kind: 'close', bytes: Uint8Array.of(1) })).toBeNull();
    expect(closeCodeOf(closePart(1001))).toBe(1001);
  });

  it('numbers wrap after 65,535', () => {
    expect([nextPostNumber(0), nextPostNumber(65_535)]).toEqual([1, 0]);
  });
});
