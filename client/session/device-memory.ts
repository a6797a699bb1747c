const KEY = 'gaze-relay:device';

/** A random UUID, version 4. Browsers have `randomUUID` on secure pages only. */
function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Random id of this browser, generated at first use and stored, so that a calibration is found again. It says nothing
 * about the person or the machine. Null where the browser stores nothing: a calibration then lasts as long as its session.
 */
export function deviceId(): string | null {
  try {
    const stored = localStorage.getItem(KEY);
    if (stored !== null && UUID.test(stored)) return stored;
    const generated = randomUuid();
    localStorage.setItem(KEY, generated);
    return generated;
  } catch {
    return null;
  }
}
