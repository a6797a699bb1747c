import { describe, expect, it } from 'vitest';
import { isSameLesson, lessonOfAddress } from '../../../client/eyelearn/lesson-address.ts';

const at = (query: string) => lessonOfAddress(`https://school.example/user/Smodulepart.php${query}`);

describe('the lesson in an address of the platform', () => {
  it.each([
    ['?module_id=22&section_id=77', { moduleId: 22, sectionId: 77 }],
    ['?module_id=22', { moduleId: 22, sectionId: null }],
    ['?section_id=77&module_id=22&x=1#part', { moduleId: 22, sectionId: 77 }],
    ['?module_id=22&section_id=checkpoint_3', { moduleId: 22, sectionId: null }],
    ['?module_id=22&section_id=', { moduleId: 22, sectionId: null }],
    ['?module_id=22&section_id=77&checkpoint=3', { moduleId: 22, sectionId: null }],
  ])('%s', (query, lesson) => expect(at(query)).toEqual(lesson));

  it.each(['', '?section_id=77', '?module_id=', '?module_id=0', '?module_id=abc', '?module_id=99999999999'])(
    'is none: %j',
    (query) => expect(at(query)).toBeNull(),
  );

  it('two are the same by module and section', () => {
    expect(isSameLesson(at('?module_id=22'), at('?module_id=22&section_id='))).toBe(true);
    expect(isSameLesson(at('?module_id=22&section_id=1'), at('?module_id=22&section_id=2'))).toBe(false);
    expect(isSameLesson(null, at('?module_id=22'))).toBe(false);
    expect(isSameLesson(null, null)).toBe(true);
  });
});
