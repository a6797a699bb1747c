const KEY = 'gaze-relay:camera';

/** A camera that the student can choose. */
export interface CameraDevice {
  readonly deviceId: string;
  readonly label: string;
}

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

/** All cameras of this device; browsers name them to a page that may use the camera alone. */
export async function listCameras(): Promise<CameraDevice[]> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  const all = (await devices?.enumerateDevices()) ?? [];
  return all.filter(({ kind }) => kind === 'videoinput');
}
