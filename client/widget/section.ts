const LARGEST_ID = 2_147_483_647;

/**
 * Lesson section of a page's id. Pages pass numbers, numeric strings, `checkpoint_3` or nothing: anything but a positive
 * whole number in the database's range is no section (null).
 */
export function parseSectionId(value: unknown): number | null {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  if (!/^\d+$/.test(text)) return null;
  const id = Number(text);
  return id >= 1 && id <= LARGEST_ID ? id : null;
}
