const KEY = 'gaze-relay:less-data';

/** What the student chose on an earlier visit; null where nothing was, or the browser keeps nothing. */
export function readLessData(): boolean | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === null ? null : kept === 'yes';
  } catch {
    return null;
  }
}

/** Keeps the choice for the next visit, as far as the browser keeps anything. */
export function keepLessData(lessData: boolean): void {
  try {
    localStorage.setItem(KEY, lessData ? 'yes' : 'no');
  } catch {
    // Blocked or full: the choice holds for this visit.
  }
}
