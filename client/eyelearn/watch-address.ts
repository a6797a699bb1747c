import { isSameLesson, type Lesson, lessonOfAddress } from './lesson-address.ts';

/** Pages of the platform change their address without a load, some by scripts of their own; it is compared this often. */
const EVERY_MS = 250;

/**
 * Calls back with the lesson of the page's address whenever that becomes another one; null where the address names none.
 * @param onTick Called at every comparison.
 * @returns A function that ends it.
 */
export function watchAddress(onLesson: (lesson: Lesson | null) => void, onTick?: () => void): () => void {
  let address = location.href;
  let shown = lessonOfAddress(address);
  const timer = setInterval(() => {
    onTick?.();
    if (location.href === address) return;
    address = location.href;
    const lesson = lessonOfAddress(address);
    if (isSameLesson(lesson, shown)) return;
    shown = lesson;
    onLesson(lesson);
  }, EVERY_MS);
  return () => clearInterval(timer);
}
