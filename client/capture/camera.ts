import type { FrameSize } from '../../shared/geometry.ts';

/** Why there is no picture. */
export type CameraTrouble =
  /** The student or the browser said no. */
  | 'denied'
  /** No camera is plugged in. */
  | 'none'
  /** Another program holds it, or the operating system does not hand it out. */
  | 'in_use'
  /** Browsers give the camera to https pages (and to localhost) only. */
  | 'insecure'
  /** It was there and went away: unplugged, or the permission was taken back. */
  | 'lost'
  | 'other';

export class CameraError extends Error {
  override readonly name = 'CameraError';
  readonly trouble: CameraTrouble;

  constructor(trouble: CameraTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/** close() came before the camera had a picture: nobody's fault. */
export class CameraClosed extends Error {
  override readonly name = 'CameraClosed';
}

export interface CameraWish {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
}

/** What to tell the student, in two sentences at most: what is wrong and what to do. */
export const CAMERA_HELP: Readonly<Record<CameraTrouble, string>> = {
  denied:
    "Camera permission denied. Allow the camera for this page (the camera sign beside the address, or the browser's site settings), then try again.",
  none: 'No camera found. Plug one in, or switch it on, then try again.',
  in_use: 'The camera is in use by another program. Close video calls and camera apps, then try again.',
  insecure:
    'Browsers give the camera to secure pages only. Open this page with https:// (or on localhost), then try again.',
  lost: 'The camera went away: it was unplugged, or its permission was taken back. Check it, then start again.',
  other: 'The camera could not be started. Unplug it and plug it in again, or restart the browser, then try again.',
};

const TROUBLE_OF_ERROR: Readonly<Record<string, CameraTrouble>> = {
  NotAllowedError: 'denied',
  PermissionDeniedError: 'denied',
  SecurityError: 'insecure',
  NotFoundError: 'none',
  DevicesNotFoundError: 'none',
  OverconstrainedError: 'none',
  NotReadableError: 'in_use',
  TrackStartError: 'in_use',
  AbortError: 'in_use',
};

/**
 * The webcam, shown to nobody: a muted inline `<video>` out of sight that capture draws from.
 * After close() no track runs, also when close() comes while the permission is still being asked.
 */
export class Camera {
  /** Called when the camera goes away by itself. */
  onLost: () => void = () => {};
  #stream: MediaStream | null = null;
  #video: HTMLVideoElement | null = null;
  #opening = 0;

  get stream(): MediaStream | null {
    return this.#stream;
  }

  get video(): HTMLVideoElement | null {
    return this.#video;
  }

  /** Size of the frames as the camera delivers them; null while there is no picture. */
  get size(): FrameSize | null {
    const video = this.#video;
    if (video === null || video.videoWidth === 0) return null;
    return { widthPx: video.videoWidth, heightPx: video.videoHeight };
  }

  /** Asks for the camera and resolves once it has a picture. Rejects with CameraError, or CameraClosed. */
  async open(wish: CameraWish): Promise<FrameSize> {
    this.close();
    const opening = ++this.#opening;
    const overtaken = () => opening !== this.#opening;
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (devices === undefined) throw new CameraError('insecure', CAMERA_HELP.insecure);
    let stream: MediaStream;
    try {
      stream = await devices.getUserMedia({
        video: {
          width: { ideal: wish.widthPx },
          height: { ideal: wish.heightPx },
          frameRate: { ideal: wish.fps },
          facingMode: 'user',
        },
        audio: false,
      });
    } catch (error) {
      if (overtaken()) throw new CameraClosed();
      const trouble = TROUBLE_OF_ERROR[error instanceof Error ? error.name : ''] ?? 'other';
      throw new CameraError(trouble, CAMERA_HELP[trouble]);
    }
    if (overtaken()) {
      stopTracks(stream);
      throw new CameraClosed();
    }
    this.#stream = stream;
    this.#video = createVideo(stream);
    for (const track of stream.getVideoTracks()) {
      track.addEventListener('ended', () => {
        if (overtaken()) return;
        this.close();
        this.onLost();
      });
    }
    try {
      await firstPicture(this.#video);
    } catch {
      if (overtaken()) throw new CameraClosed();
      this.close();
      throw new CameraError('in_use', CAMERA_HELP.in_use);
    }
    const { size } = this;
    if (overtaken() || size === null) throw new CameraClosed();
    return size;
  }

  /** Stops every track (the camera's light goes off) and removes the video. May be called any time. */
  close(): void {
    this.#opening++;
    if (this.#stream !== null) stopTracks(this.#stream);
    this.#stream = null;
    if (this.#video !== null) {
      this.#video.srcObject = null;
      this.#video.remove();
    }
    this.#video = null;
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function createVideo(stream: MediaStream): HTMLVideoElement {
  const video = document.createElement('video');
  // Without these two iOS plays nothing, or takes the whole screen.
  video.muted = true;
  video.playsInline = true;
  video.autoplay = true;
  video.setAttribute('muted', '');
  video.setAttribute('playsinline', '');
  video.setAttribute('aria-hidden', 'true');
  video.tabIndex = -1;
  // Not `display: none`: browsers may then stop decoding. One pixel, seen by nobody, in nobody's way.
  Object.assign(video.style, {
    position: 'fixed',
    left: '0',
    bottom: '0',
    width: '1px',
    height: '1px',
    opacity: '0',
    pointerEvents: 'none',
    zIndex: '-1',
  });
  video.srcObject = stream;
  document.body.append(video);
  return video;
}

const FIRST_PICTURE_TIMEOUT_MS = 10_000;

/** Resolves once the video has a picture. Rejects when it errs or none comes. */
function firstPicture(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no picture')), FIRST_PICTURE_TIMEOUT_MS);
    const check = () => {
      if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
      clearTimeout(timer);
      resolve();
    };
    for (const name of ['loadeddata', 'playing', 'resize'] as const) video.addEventListener(name, check);
    // Leaving the page, or close() meanwhile, empties the video: this attempt is over.
    video.addEventListener('emptied', () => {
      if (video.srcObject !== null) return;
      clearTimeout(timer);
      reject(new Error('closed'));
    });
    video.play().then(check, () => {});
    check();
  });
}
