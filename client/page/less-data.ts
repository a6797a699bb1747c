const KEY = 'gaze-relay:less-data';

/** The student's choice on an earlier visit; null without one, or if the browser refuses storage. */
export function readLessData(): boolean | null {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === null ? null : stored === 'yes';
  } catch {
    return null;
  }
}

/** Stores the choice for the next visit, if the browser allows it. */
export function storeLessData(lessData: boolean): void {
  try {
    localStorage.setItem(KEY, lessData ? 'yes' : 'no');
  } catch {
    // Blocked or full: the choice holds for this visit.
  }
}
