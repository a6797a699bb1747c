import { byId } from './dom.ts';

/** The part of the tracker that the panel needs. */
export interface CameraUser {
  readonly stream: MediaStream | null;
  setCamera(deviceId: string): void;
}

/** The choice of a camera, where there are several. */
export class CameraPanel {
  readonly #label = byId('camera-choice', HTMLElement);
  readonly #select = byId('camera', HTMLSelectElement);
  readonly #tracker: () => CameraUser;

  /** `tracker` is a function because the tracker is created after the panel. */
  constructor(tracker: () => CameraUser) {
    this.#tracker = tracker;
    this.#select.addEventListener('change', () => this.#tracker().setCamera(this.#select.value));
  }

  /** Shows the cameras and the one in use. */
  async show(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const cameras = devices.filter(({ kind }) => kind === 'videoinput');
    const used = this.#tracker().stream?.getVideoTracks()[0]?.getSettings().deviceId;
    this.#label.hidden = cameras.length < 2;
    this.#select.replaceChildren(
      ...cameras.map(({ deviceId, label }, index) => {
        const isUsed = deviceId === used;
        return new Option(label || `Camera ${index + 1}`, deviceId, isUsed, isUsed);
      }),
    );
  }
}
