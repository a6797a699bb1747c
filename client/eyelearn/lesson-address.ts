import { parseSectionId } from '../widget/section.ts';

/** Which lesson a page shows. */
export interface Lesson {
  readonly moduleId: number;
  /** Null where the page shows no section, such as a checkpoint quiz. */
  readonly sectionId: number | null;
}

/**
 * The lesson in an address of the platform, such as `?module_id=22&section_id=77`; null where there is no module. A
 * checkpoint is no section, though an address may still carry the section before it.
 */
export function lessonOfAddress(address: string): Lesson | null {
  const query = new URL(address).searchParams;
  const moduleId = parseSectionId(query.get('module_id'));
  if (moduleId === null) return null;
  return { moduleId, sectionId: query.has('checkpoint') ? null : parseSectionId(query.get('section_id')) };
}

/** True when both are the same lesson and section. */
export function isSameLesson(a: Lesson | null, b: Lesson | null): boolean {
  return a?.moduleId === b?.moduleId && a?.sectionId === b?.sectionId;
}
