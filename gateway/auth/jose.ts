/** The JWT library, loaded with the first token: a gateway that wakes listens first. */
export function loadJose(): Promise<typeof import('jose')> {
  return import('jose');
}
