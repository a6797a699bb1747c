const KEY = 'gaze-relay:camera';

/** Device id of the camera that the student chose in this browser; null where none was chosen, or nothing is stored. */
export function chosenCamera(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function rememberCamera(deviceId: string): void {
  try {
    localStorage.setItem(KEY, deviceId);
  } catch {
    // Then the choice holds until the page is left, with the camera that is open.
  }
}
