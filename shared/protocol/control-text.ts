import { ProtocolError } from './errors.ts';

/** Longest text message either side accepts, in UTF-16 units (C-3). */
export const MAX_CONTROL_CHARS = 8192;

/** The JSON of a text message, not checked further. Throws ProtocolError `control_not_json` or `control_invalid`. */
export function parseControlText(text: string): unknown {
  if (text.length > MAX_CONTROL_CHARS) {
    throw new ProtocolError('control_invalid', `over ${MAX_CONTROL_CHARS} characters`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError('control_not_json', 'text messages are JSON');
  }
}
