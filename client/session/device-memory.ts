const KEY = 'gaze-relay:device';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Random id of this browser, generated at first use and stored, so that a calibration is found again. It says nothing
 * about the person or the machine. Null where the browser stores nothing: a calibration then lasts as long as its session.
 */
export function deviceId(): string | null {
  try {
    const stored = localStorage.getItem(KEY);
    if (stored !== null && UUID.test(stored)) return stored;
    // There on secure pages only, as the camera is.
    const generated = crypto.randomUUID();
    localStorage.setItem(KEY, generated);
    return generated;
  } catch {
    return null;
  }
}
