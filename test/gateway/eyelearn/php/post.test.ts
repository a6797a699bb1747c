import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseStored, dueDelta, type PhpAccount, unpostedOf } from '../../../../gateway/eyelearn/php/delta.ts';
import { judgeAnswer, postBody } from '../../../../gateway/eyelearn/php/post.ts';

const account: PhpAccount = {
  userId: 7,
  moduleId: 3,
  sectionKey: 12,
  focusedMs: 0,
  unfocusedMs: 0,
  sentFocusedMs: 0,
  sentUnfocusedMs: 0,
  openFocusedS: 0,
  openUnfocusedS: 0,
  sinceMs: 0,
  isUrgent: false,
  isLocked: false,
};

describe('what is posted to PHP', () => {
  it('is whole seconds, the rest is carried, and all of it gets there in the end', () => {
    const piece = fc.record({ focusedMs: fc.nat({ max: 3000 }), unfocusedMs: fc.nat({ max: 3000 }) });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        let now = account;
        const posted = { focusedS: 0, unfocusedS: 0 };
        for (const { focusedMs, unfocusedMs } of pieces) {
          now = { ...now, focusedMs: now.focusedMs + focusedMs, unfocusedMs: now.unfocusedMs + unfocusedMs };
          const delta = unpostedOf(now);
          posted.focusedS += delta.focusedS;
          posted.unfocusedS += delta.unfocusedS;
          now = {
            ...now,
            sentFocusedMs: now.sentFocusedMs + delta.focusedS * 1000,
            sentUnfocusedMs: now.sentUnfocusedMs + delta.unfocusedS * 1000,
          };
        }
        expect(posted).toEqual({
          focusedS: Math.floor(now.focusedMs / 1000),
          unfocusedS: Math.floor(now.unfocusedMs / 1000),
        });
      }),
    );
  });

  it('waits for 30 seconds of time unless a session has ended or it has waited long', () => {
    const short = { ...account, focusedMs: 12_999 };
    expect(dueDelta(short, 1000, 30, 120_000)).toBeNull();
    expect(dueDelta({ ...short, isUrgent: true }, 1000, 30, 120_000)).toEqual({ focusedS: 12, unfocusedS: 0 });
    expect(dueDelta(short, 120_000, 30, 120_000)).toEqual({ focusedS: 12, unfocusedS: 0 });
    expect(dueDelta({ ...short, unfocusedMs: 18_001 }, 1000, 30, 120_000)).toEqual({ focusedS: 12, unfocusedS: 18 });
    expect(dueDelta({ ...short, isUrgent: true, isLocked: true }, 1000, 30, 120_000)).toBeNull();
    expect(dueDelta({ ...short, isUrgent: true, openFocusedS: 12 }, 1000, 30, 120_000)).toBeNull();
  });

  it('has all that the endpoint requires and never a section 0', () => {
    const post = { userId: 7, moduleId: 3, sectionKey: 0, focusedS: 20, unfocusedS: 10 };
    expect(JSON.parse(postBody(post))).toEqual({
      user_id: 7,
      module_id: 3,
      focused_time: 20,
      unfocused_time: 10,
      total_time: 30,
      focus_percentage: 66.7,
      session_type: 'viewing',
    });
    expect(JSON.parse(postBody({ ...post, sectionKey: 12 }))).toMatchObject({ section_id: 12 });
  });

  it.each([
    ['{"success":true,"record_id":5}', 'stored'],
    ['{"success":false,"error":"no"}', 'refused'],
    ['{"success":"true"}', 'uncertain'],
    ['{"record_id":5}', 'uncertain'],
    ['null', 'uncertain'],
    ['<br /><b>Fatal error</b>', 'uncertain'],
    ['', 'uncertain'],
  ])('is judged by the answer %s to be %s', (text, kind) => {
    expect(judgeAnswer(200, text).kind).toBe(kind);
    expect(judgeAnswer(500, text).kind).toBe(kind);
  });

  it('is found from the surplus in the rows', () => {
    const post = (focusedS: number, unfocusedS = 0) => ({ focusedS, unfocusedS });
    expect(chooseStored([post(30), post(31)], post(31))).toEqual([false, true]);
    expect(chooseStored([post(30), post(31), post(29, 2)], post(59, 2))).toEqual([true, false, true]);
    expect(chooseStored([post(30)], post(0))).toEqual([false]);
    expect(chooseStored([post(30), post(30)], post(61))).toEqual([true, true]);
    expect(chooseStored([], post(5))).toEqual([]);
  });
});
