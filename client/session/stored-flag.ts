const KEY = 'gaze-relay:kept';

/** Whether this browser may have observations that wait for delivery: only then the database is opened. */
export function hasStoredObservations(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

/** Remembers that observations are stored, or that none are. */
export function flagStoredObservations(stored: boolean): void {
  try {
    if (stored) localStorage.setItem(KEY, '1');
    else localStorage.removeItem(KEY);
  } catch {
    // A browser that refuses storage refuses the database as well.
  }
}
