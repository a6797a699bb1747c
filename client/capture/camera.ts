import type { FrameSize } from '../../shared/geometry.ts';
import { canvasGivesTruePixels } from './canvas-check.ts';

/** Why there is no picture. */
export type CameraErrorKind =
  /** The student or the browser denied it. */
  | 'denied'
  /** No camera is connected. */
  | 'none'
  /** Another program uses it, or the operating system blocks it. */
  | 'in_use'
  /** Browsers give the camera to https pages (and to localhost) only. */
  | 'insecure'
  /** The browser gives pages altered pictures, as protection against fingerprinting. */
  | 'altered'
  /** It was working and stopped: unplugged, or the permission was withdrawn. */
  | 'lost'
  | 'other';

export class CameraError extends Error {
  override readonly name = 'CameraError';
  readonly kind: CameraErrorKind;

  constructor(kind: CameraErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** close() was called before the camera had a picture. Not a fault. */
export class CameraClosed extends Error {
  override readonly name = 'CameraClosed';
}

export interface CameraWish {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly fps: number;
}

/** For the student, at most two sentences: what is wrong and what to do. */
export const CAMERA_HELP: Readonly<Record<CameraErrorKind, string>> = {
  denied:
    "Camera permission denied. Allow the camera for this page (the camera icon beside the address, or the browser's site settings), then try again.",
  none: 'No camera found. Connect one, or turn it on, then try again.',
  in_use: 'The camera is in use by another program. Close video calls and camera apps, then try again.',
  insecure:
    'Browsers allow the camera on secure pages only. Open this page with https:// (or on localhost), then try again.',
  altered: 'This browser alters pictures. Allow this page to read canvas data, then try again.',
  lost: 'The camera stopped: it was disconnected, or its permission was withdrawn. Check it, then start again.',
  other: 'The camera could not be started. Disconnect and reconnect it, or restart the browser, then try again.',
};

const KIND_OF_ERROR: Readonly<Record<string, CameraErrorKind>> = {
  NotAllowedError: 'denied',
  SecurityError: 'insecure',
  NotFoundError: 'none',
  OverconstrainedError: 'none',
  NotReadableError: 'in_use',
  AbortError: 'in_use',
};

/**
 * The webcam: a muted inline `<video>`, not visible, that capture draws from. After close() no track runs, even if
 * close() is called while the permission prompt is open.
 */
export class Camera {
  /** Called when the camera stops by itself. */
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

  /** Opens the camera and resolves once it has a picture. Rejects with CameraError, or CameraClosed. */
  async open(wish: CameraWish): Promise<FrameSize> {
    this.close();
    const opening = ++this.#opening;
    const overtaken = () => opening !== this.#opening;
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (devices === undefined) throw new CameraError('insecure', CAMERA_HELP.insecure);
    if (!canvasGivesTruePixels()) throw new CameraError('altered', CAMERA_HELP.altered);
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
      const kind = KIND_OF_ERROR[error instanceof Error ? error.name : ''] ?? 'other';
      throw new CameraError(kind, CAMERA_HELP[kind]);
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
  // Not `display: none`: browsers may then stop decoding. One transparent pixel instead.
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
