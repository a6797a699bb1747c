import type { FrameSize } from '../../shared/geometry.ts';
import type { PauseReason } from '../../shared/pause.ts';
import type { Camera, CameraError, CameraWish } from '../capture/camera.ts';
import type { CaptureSettings, CreatePlacement, Placement } from '../capture/placement.ts';
import type { RelayConnection } from '../connection/connection.ts';

export interface CaptureSessionOptions {
  readonly camera: Camera;
  readonly connection: RelayConnection;
  readonly settings: CaptureSettings;
  readonly createPlacement: CreatePlacement;
  /** Lesson section at this moment, of the database's range, or null. */
  sectionId(): number | null;
  /** Size and rate to request from the camera. */
  cameraWish(): CameraWish;
  onCameraError(error: CameraError): void;
  onCaptureChange(capturing: boolean): void;
}

/** Capture of one session: running or paused, in either placement. */
export class CaptureSession {
  readonly #options: CaptureSessionOptions;
  #placement: Placement;
  #capturing = false;
  #reopened = 0;
  #paused: PauseReason | null = null;
  #ended = false;

  constructor(options: CaptureSessionOptions) {
    this.#options = options;
    this.#placement = this.#place(options.createPlacement);
  }

  get capturing(): boolean {
    return this.#capturing;
  }

  /** Starts or resumes taking pictures. Opens the camera if it is off. */
  resume(): void {
    if (this.#capturing || this.#ended) return;
    this.#paused = null;
    const { size } = this.#options.camera;
    if (size !== null) this.#begin(size);
    else void this.#reopen();
  }

  /**
   * No pictures are taken and no time is counted. Camera and connection stay. `sinceMs` (performance.now): when the last
   * picture was taken, if earlier.
   */
  pause(reason: PauseReason, sinceMs: number = performance.now()): void {
    // The student's own pause is ended by nothing but the student, also while the camera opens.
    if (reason === 'student') this.#reopened++;
    if (this.#capturing || reason === 'student') this.#paused = reason;
    this.#placement.stop();
    if (!this.#capturing) return;
    void this.#options.connection.stop(reason, sinceMs);
    this.#setCapturing(false);
  }

  /** What paused capture has ended: capture resumes, unless something else paused it. */
  resumeAfter(reason: PauseReason): void {
    if (this.#paused === reason) this.resume();
  }

  /** Why capture is paused; null while it runs, and before the first start. */
  get paused(): PauseReason | null {
    return this.#paused;
  }

  /** Another camera was chosen: it takes the place of the one in use. */
  changeCamera(): void {
    if (!this.#capturing) return;
    this.pause('camera');
    void this.#reopen();
  }

  /** The gateway no longer has what was sent before. */
  forget(): void {
    this.#placement.forget();
  }

  /** Another placement takes over; session, camera and connection continue. */
  exchange(createPlacement: CreatePlacement): void {
    if (this.#ended) return;
    this.#placement.stop();
    this.#placement.dispose();
    this.#placement = this.#place(createPlacement);
    const { size } = this.#options.camera;
    if (!this.#capturing || size === null) return;
    this.#announce(size);
    this.#placement.start();
  }

  /** Ends capture permanently; the caller closes the connection. */
  end(): void {
    this.#ended = true;
    this.#paused = null;
    this.#placement.stop();
    this.#placement.dispose();
    this.#setCapturing(false);
  }

  #place(createPlacement: CreatePlacement): Placement {
    const { camera, connection, settings } = this.#options;
    return createPlacement({ source: camera, connection, settings, onSizeChange: (size) => this.#announce(size) });
  }

  async #reopen(): Promise<void> {
    const attempt = ++this.#reopened;
    const { camera, cameraWish, onCameraError } = this.#options;
    const size = await camera.openOrReport(cameraWish(), onCameraError);
    if (size !== null && !this.#ended && !this.#capturing && attempt === this.#reopened) this.#begin(size);
  }

  #begin(size: FrameSize): void {
    this.#paused = null;
    this.#announce(size);
    this.#placement.start();
    this.#setCapturing(true);
  }

  #announce(camera: FrameSize): void {
    const { connection, sectionId } = this.#options;
    const { width: widthPx, height: heightPx } = screen;
    connection.start({ camera, sectionId: sectionId(), mode: this.#placement.mode, screen: { widthPx, heightPx } });
  }

  #setCapturing(capturing: boolean): void {
    if (this.#capturing === capturing) return;
    this.#capturing = capturing;
    this.#options.onCaptureChange(capturing);
  }
}
