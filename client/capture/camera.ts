import type { FrameSize } from '../../shared/geometry.ts';
import { chosenCamera } from './camera-choice.ts';
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
  /** It is on and has given no picture yet: it is waited for. */
  | 'slow'
  /** Its pictures stopped: the page or the system paused it. Capture resumes with them. */
  | 'stalled'
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
    'Camera permission denied. Allow the camera for this page (the camera icon beside the address), then try again.',
  none: 'No camera found. Connect one, or turn it on, then try again.',
  in_use: 'The camera is in use by another program. Close video calls and camera apps, then try again.',
  insecure: 'Browsers allow the camera on secure pages only. Open this page with https://, then try again.',
  altered: 'This browser alters pictures. Allow this page to read canvas data, then try again.',
  lost: 'The camera was disconnected, or its permission withdrawn. Check it, then start again.',
  slow: 'The camera is on, but has not sent a picture yet. Wait, open its cover, or reconnect it.',
  stalled: 'The camera is paused by this page, a call or the system. Tracking resumes by itself.',
  other: 'The camera could not be started. Reconnect it, or restart the browser, then try again.',
};

const KIND_OF_ERROR: Readonly<Record<string, CameraErrorKind>> = {
  NotAllowedError: 'denied',
  SecurityError: 'insecure',
  NotFoundError: 'none',
  NotReadableError: 'in_use',
  AbortError: 'in_use',
};

/** A camera without a picture for this long is reported as slow. */
const SLOW_AFTER_MS = 4000;
/** Pictures that stop for this long are reported. Half of it is how often they are checked. */
const STALLED_AFTER_MS = 1000;
/** Smallest side of a real picture: some cameras begin with 2×2 pixels. */
const MIN_SIDE_PX = 16;

/**
 * The webcam: a muted inline `<video>`, not visible, that capture draws from. After close() no track runs, even if
 * close() is called while the permission prompt is open.
 */
export class Camera {
  /** Called when the camera stops by itself. */
  onLost: () => void = () => {};
  /** Called when no first picture has come for a while. */
  onSlow: () => void = () => {};
  /**
   * Called again and again while the camera is on: with true while pictures flow, with false once they have stopped.
   * `sinceMs` (performance.now): when the last ones flowed.
   */
  onFlow: (flowing: boolean, sinceMs: number) => void = () => {};
  #stream: MediaStream | null = null;
  #video: HTMLVideoElement | null = null;
  #opening = 0;
  #watch: ReturnType<typeof setInterval> | undefined;
  #flowedAtMs = 0;

  get stream(): MediaStream | null {
    return this.#stream;
  }

  get video(): HTMLVideoElement | null {
    return this.#video;
  }

  /** Size of the frames as the camera delivers them; null while there is no picture. */
  get size(): FrameSize | null {
    const video = this.#video;
    if (video === null || Math.min(video.videoWidth, video.videoHeight) < MIN_SIDE_PX) return null;
    return { widthPx: video.videoWidth, heightPx: video.videoHeight };
  }

  /** True while the video plays and the system gives it pictures: what it shows otherwise is old. */
  get flowing(): boolean {
    const tracks = this.#stream?.getVideoTracks() ?? [];
    const isOn = tracks.some(({ muted, readyState }) => readyState === 'live' && !muted);
    return isOn && this.#video?.paused === false && this.size !== null;
  }

  /** As `open`; resolves with null where there is no camera, after `onError` has reported why, or where it was closed. */
  async openOrReport(
    wish: CameraWish,
    onError: (error: CameraError) => void | Promise<void>,
  ): Promise<FrameSize | null> {
    try {
      return await this.open(wish);
    } catch (error) {
      if (error instanceof CameraError) await onError(error);
      else if (!(error instanceof CameraClosed)) throw error;
      return null;
    }
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
      stream = await requestStream(devices, wish);
    } catch (error) {
      if (overtaken()) throw new CameraClosed();
      const kind = KIND_OF_ERROR[nameOf(error)] ?? 'other';
      throw new CameraError(kind, CAMERA_HELP[kind]);
    }
    if (overtaken()) {
      stopTracks(stream);
      throw new CameraClosed();
    }
    this.#stream = stream;
    const video = createVideo(stream);
    this.#video = video;
    let isLost = false;
    for (const track of stream.getVideoTracks()) {
      track.addEventListener('ended', () => {
        if (overtaken()) return;
        isLost = true;
        this.close();
        this.onLost();
      });
    }
    // The browser pauses it too: where its place is removed from the page, or a call takes the camera.
    video.addEventListener('pause', () => this.#play());
    const slow = setTimeout(() => this.onSlow(), SLOW_AFTER_MS);
    const size = await this.#firstPicture(video, overtaken);
    clearTimeout(slow);
    if (size === null) throw isLost ? new CameraError('lost', CAMERA_HELP.lost) : new CameraClosed();
    this.#flowedAtMs = performance.now();
    this.#watch = setInterval(() => this.#check(), STALLED_AFTER_MS / 2);
    return size;
  }

  /** Resolves with the size of the first picture, null when the camera was closed before it. */
  #firstPicture(video: HTMLVideoElement, overtaken: () => boolean): Promise<FrameSize | null> {
    return new Promise((resolve) => {
      const check = () => {
        const { size } = this;
        const isReady = size !== null && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
        if (overtaken()) resolve(null);
        else if (isReady) resolve(size);
      };
      for (const name of ['loadeddata', 'playing', 'resize', 'emptied'] as const) video.addEventListener(name, check);
      this.#play();
      check();
    });
  }

  #play(): void {
    const video = this.#video;
    if (video === null) return;
    if (!video.isConnected) place(video);
    // Refused: then the next check tries again.
    video.play().catch(() => {});
  }

  #check(): void {
    const nowMs = performance.now();
    if (this.#video?.paused !== false) this.#play();
    if (this.flowing) this.#flowedAtMs = nowMs;
    const stoppedMs = nowMs - this.#flowedAtMs;
    if (stoppedMs === 0 || stoppedMs >= STALLED_AFTER_MS) this.onFlow(stoppedMs === 0, this.#flowedAtMs);
  }

  /** Stops every track (the camera's light goes off) and removes the video. May be called any time. */
  close(): void {
    this.#opening++;
    clearInterval(this.#watch);
    if (this.#stream !== null) stopTracks(this.#stream);
    this.#stream = null;
    if (this.#video !== null) {
      this.#video.srcObject = null;
      const { host } = this.#video.getRootNode() as ShadowRoot;
      host?.remove();
    }
    this.#video = null;
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** A camera of about the wished size, or of any where the browser finds none for the wish. Rejects as getUserMedia does. */
async function requestStream(devices: MediaDevices, wish: CameraWish): Promise<MediaStream> {
  const deviceId = chosenCamera();
  const video = {
    width: { ideal: wish.widthPx },
    height: { ideal: wish.heightPx },
    frameRate: { ideal: wish.fps },
    ...(deviceId === null ? { facingMode: 'user' } : { deviceId: { exact: deviceId } }),
  };
  try {
    return await devices.getUserMedia({ video, audio: false });
  } catch (error) {
    if (nameOf(error) !== 'OverconstrainedError') throw error;
    return devices.getUserMedia({ video: true, audio: false });
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
  video.srcObject = stream;
  return video;
}

/**
 * Puts the video into the page where the page's scripts and styles do not find it: some pause every video, or all but
 * one, and some replace the body.
 */
function place(video: HTMLVideoElement): void {
  const host = document.createElement('div');
  host.setAttribute('aria-hidden', 'true');
  // Not `display: none`: browsers may then stop decoding. One transparent pixel instead.
  Object.assign(host.style, {
    position: 'fixed',
    left: '0',
    bottom: '0',
    width: '1px',
    height: '1px',
    opacity: '0',
    pointerEvents: 'none',
    zIndex: '-1',
    overflow: 'hidden',
  });
  host.attachShadow({ mode: 'closed' }).append(video);
  document.documentElement.append(host);
}
