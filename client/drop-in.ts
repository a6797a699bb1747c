import './browser/strict-csp.ts';
import { describeError } from '../shared/errors.ts';
import type { FrameSize } from '../shared/geometry.ts';
import { CAMERA_HELP, Camera, CameraClosed, CameraError } from './browser/camera.ts';
import { CaptureLoop } from './browser/capture-loop.ts';
import { isLeaving, watchPage } from './browser/page-life.ts';
import { ResumeMemory } from './browser/resume-memory.ts';
import { defaultServerUrl, ticketUrlOfScript } from './browser/script-tag.ts';
import { fetchTicket, ticketUrlFor } from './browser/tickets.ts';
import { CAMERA_ERROR_TYPES, END_MESSAGES } from './browser/troubles.ts';
import { feedWidget, feedWidgetConnection } from './browser/widget.ts';
import { developmentTicketUrl, gatewayAddresses } from './core/addresses.ts';
import {
  type ConnectionPhase,
  type ConnectionStats,
  RelayConnection,
  type Stopped,
  type Welcome,
} from './core/connection.ts';
import type { EndReason, Fault } from './core/link-state.ts';
import { DEFAULT_FPS } from './core/pacing.ts';
import { type TrackingUpdate, toTrackingUpdate } from './core/payload.ts';
import { parseSectionId } from './core/section.ts';
import type { TrackingError, TrackingErrorType, WebcamWebSocketOptions } from './types.ts';

/** No connection for this long ends tracking, so that no camera stays on for nothing. */
const OUTAGE_LIMIT_MS = 10 * 60_000;

/**
 * The class that EyeLearn's pages use, over the gateway's own protocol: same options, methods,
 * properties, callbacks and error types. One object is one student at one module; moving between
 * lesson sections keeps session and camera.
 */
export class WebcamWebSocket {
  readonly serverUrl: string;
  frameRate: number;
  jpegQuality: number;
  videoWidth: number;
  videoHeight: number;
  userId: number | string | null = null;
  moduleId: number | string | null = null;
  sectionId: number | string | null = null;
  isConnected = false;
  isCapturing = false;
  onTrackingUpdate: (update: TrackingUpdate) => void;
  onConnectionChange: (connected: boolean) => void;
  onError: (error: TrackingError) => void;
  readonly #options: WebcamWebSocketOptions;
  readonly #camera = new Camera();
  #connection: RelayConnection | null = null;
  #loop: CaptureLoop | null = null;
  #memory: ResumeMemory | null = null;
  #initializing: Promise<boolean> | null = null;
  #unwatch: (() => void) | null = null;
  #sessionId: string | null = null;
  #run = 0;
  #pausedByTab = false;
  #restore: (() => void) | null = null;
  #lastFault: Fault | null = null;
  readonly #reported = new Set<string>();

  constructor(options: WebcamWebSocketOptions = {}) {
    this.#options = options;
    this.serverUrl = options.serverUrl || defaultServerUrl();
    this.frameRate = options.frameRate || 15;
    this.jpegQuality = options.jpegQuality || 0.7;
    this.videoWidth = options.videoWidth || 640;
    this.videoHeight = options.videoHeight || 480;
    this.onTrackingUpdate = options.onTrackingUpdate ?? (() => {});
    this.onConnectionChange = options.onConnectionChange ?? (() => {});
    this.onError = options.onError ?? ((error) => console.error(`gaze-relay: ${error.type}: ${error.message}`));
    this.#camera.onLost = () => this.#onCameraLost();
  }

  get stream(): MediaStream | null {
    return this.#camera.stream;
  }

  get videoElement(): HTMLVideoElement | null {
    return this.#camera.video;
  }

  /** Id of the session, also after its end; null before the first. */
  get sessionId(): string | null {
    return this.#sessionId;
  }

  /** Traffic and latency of the present connection; null when there is none. */
  stats(): ConnectionStats | null {
    return this.#connection?.stats() ?? null;
  }

  /**
   * Opens the camera, connects and begins to capture. Resolves with true once connected, with false
   * after any failure (onError says which; the camera is off then). Never rejects. Called again for
   * the same student and module it only changes the section.
   */
  initialize(
    userId: number | string,
    moduleId: number | string,
    sectionId: number | string | null = null,
  ): Promise<boolean> {
    const same = this.userId === userId && this.moduleId === moduleId;
    this.sectionId = sectionId;
    if (same && this.#initializing !== null) return this.#initializing;
    if (same && this.#connection !== null) {
      this.setSection(sectionId);
      this.startCapture();
      return Promise.resolve(true);
    }
    if (this.#connection !== null) void this.finish();
    this.userId = userId;
    this.moduleId = moduleId;
    const attempt = this.#initialize(userId, moduleId).catch((error: unknown) => {
      this.#tearDown();
      this.#report('SERVER_ERROR', describeError(error), 'internal');
      return false;
    });
    this.#initializing = attempt;
    void attempt.then(() => {
      if (this.#initializing === attempt) this.#initializing = null;
    });
    return attempt;
  }

  /** Takes pictures again after stopCapture or stopWebcam. */
  startCapture(): void {
    const connection = this.#connection;
    if (connection === null || this.isCapturing) return;
    this.#pausedByTab = false;
    const { size } = this.#camera;
    if (size !== null) {
      this.#beginCapture(connection, size);
      return;
    }
    void this.#openCamera().then((opened) => {
      if (opened !== null && this.#connection === connection && !this.isCapturing)
        this.#beginCapture(connection, opened);
    });
  }

  /** Pauses: no pictures are taken and no time is counted. Camera and connection stay. */
  stopCapture(): void {
    this.#pausedByTab = false;
    this.#pause();
  }

  /** Pauses and switches the camera off, also one that is still being asked for. */
  stopWebcam(): void {
    this.stopCapture();
    this.#camera.close();
  }

  /**
   * Ends the session and switches the camera off. While the page is being left the session stays
   * open for a moment, so that the next lesson section goes on with it.
   */
  disconnect(): void {
    if (isLeaving()) this.#leave();
    else void this.finish();
  }

  /** As disconnect, and resolves with the gateway's final totals, null when it does not answer. */
  async finish(): Promise<Stopped | null> {
    const connection = this.#connection;
    const memory = this.#memory;
    const stopped = connection?.stop() ?? null;
    this.#tearDown();
    memory?.clear();
    const message = await stopped;
    connection?.close();
    return message;
  }

  /** The student moved on within the module: the session goes on. */
  setSection(sectionId: number | string | null): void {
    this.sectionId = sectionId;
    this.#connection?.setSection(parseSectionId(sectionId));
  }

  async #initialize(userId: number | string, moduleId: number | string): Promise<boolean> {
    let addresses: ReturnType<typeof gatewayAddresses>;
    try {
      addresses = gatewayAddresses(this.serverUrl);
    } catch (error) {
      this.#report('WEBSOCKET_ERROR', describeError(error), 'server_url_invalid');
      return false;
    }
    this.#watch();
    const run = ++this.#run;
    const size = await this.#openCamera();
    // Ended, and perhaps begun again, while the permission was being asked.
    if (run !== this.#run) return false;
    if (size === null) {
      this.#tearDown();
      return false;
    }
    const memory = new ResumeMemory(addresses.httpOrigin, userId, moduleId);
    this.#memory = memory;
    this.#reported.clear();
    return new Promise((resolve) => {
      const connection: RelayConnection = new RelayConnection({
        url: addresses.streamUrl,
        createSocket: (url, subprotocol) => new WebSocket(url, subprotocol),
        getTicket: () => this.#getTicket(addresses.httpOrigin, userId, moduleId),
        now: () => performance.now(),
        random: Math.random,
        setTimer: (callback, delayMs) => window.setTimeout(callback, delayMs),
        clearTimer: (handle) => window.clearTimeout(handle as number),
        resumeToken: memory.read(),
        client: 'gaze-relay-browser/1',
        outageLimitMs: OUTAGE_LIMIT_MS,
        onWelcome: (welcome) => {
          memory.write(welcome.resume);
          if (this.#connection === connection) this.#onWelcome(welcome);
          resolve(true);
        },
        onUpdate: (update) => {
          if (update.outcome !== 'processed') this.#loop?.forget();
          if (this.#connection !== connection) return;
          const payload = toTrackingUpdate(update, new Date());
          feedWidget(payload);
          this.#tell(() => this.onTrackingUpdate(payload));
        },
        onFault: (fault) => {
          if (this.#connection === connection) this.#onFault(fault);
        },
        onConnectionChange: (phase) => {
          if (this.#connection === connection) this.#onPhase(phase);
        },
        onEnded: (reason) => {
          if (this.#connection === connection && reason !== 'closed') this.#onEnded(reason);
          resolve(false);
        },
      });
      this.#connection = connection;
      this.#loop = new CaptureLoop(this.#camera, connection, {
        fps: this.#options.frameRate === undefined ? null : this.frameRate,
        quality: this.jpegQuality,
        onSizeChange: (changed) => this.#start(connection, changed),
      });
      this.#beginCapture(connection, size);
      connection.connect();
    });
  }

  #getTicket(httpOrigin: string, userId: number | string, moduleId: number | string): Promise<string> {
    const { getTicket, ticketUrl } = this.#options;
    if (getTicket !== undefined) return Promise.resolve(getTicket());
    const url = ticketUrl ?? ticketUrlOfScript();
    return fetchTicket(url === null ? developmentTicketUrl(httpOrigin, userId, moduleId) : ticketUrlFor(url, moduleId));
  }

  /** Resolves with the size of the camera's frames; null when there is none (told through onError). */
  async #openCamera(): Promise<FrameSize | null> {
    try {
      return await this.#camera.open({
        widthPx: this.videoWidth,
        heightPx: this.videoHeight,
        fps: Math.max(DEFAULT_FPS, this.frameRate),
      });
    } catch (error) {
      if (error instanceof CameraClosed) return null;
      if (!(error instanceof CameraError)) throw error;
      this.#report(CAMERA_ERROR_TYPES[error.trouble], error.message, error.trouble);
      return null;
    }
  }

  #beginCapture(connection: RelayConnection, size: FrameSize): void {
    this.#start(connection, size);
    this.#loop?.start();
    this.#setCapturing(true);
  }

  #start(connection: RelayConnection, camera: FrameSize): void {
    connection.start({ camera, sectionId: parseSectionId(this.sectionId), mode: 'server' });
  }

  #pause(): void {
    this.#loop?.stop();
    if (!this.isCapturing) return;
    void this.#connection?.stop();
    this.#setCapturing(false);
  }

  #setCapturing(capturing: boolean): void {
    if (this.isCapturing === capturing) return;
    this.isCapturing = capturing;
    this.#tell(() => this.#options.onCaptureChange?.(capturing));
  }

  #onWelcome({ sessionId, resumed }: Welcome): void {
    this.#sessionId = sessionId;
    this.#loop?.forget();
    this.#reported.clear();
    this.#tell(() => this.#options.onSession?.({ sessionId, resumed }));
  }

  #onPhase(phase: ConnectionPhase): void {
    const connected = phase === 'connected';
    if (connected !== this.isConnected) this.#setConnected(connected);
    this.#tell(() => this.#options.onPhaseChange?.(phase));
  }

  #setConnected(connected: boolean): void {
    this.isConnected = connected;
    feedWidgetConnection(connected);
    this.#tell(() => this.onConnectionChange(connected));
  }

  #onFault(fault: Fault): void {
    this.#lastFault = fault;
    // Faults that end the connection are told with its end, or heal by themselves.
    if (!fault.fatal) this.#report('SERVER_ERROR', fault.message, fault.code);
  }

  #onEnded(reason: Exclude<EndReason, 'closed'>): void {
    if (reason !== 'unreachable') this.#memory?.clear();
    this.#tearDown();
    this.#tell(() => this.#options.onPhaseChange?.('ended'));
    const detail = this.#lastFault?.message;
    const message = END_MESSAGES[reason];
    const explained = reason === 'superseded' || detail === undefined ? message : `${message} (${detail})`;
    this.#reported.clear();
    this.#report(reason === 'unreachable' ? 'WEBSOCKET_ERROR' : 'SERVER_ERROR', explained, reason);
  }

  #onCameraLost(): void {
    if (this.#connection === null) return;
    this.#pause();
    this.#report(CAMERA_ERROR_TYPES.lost, CAMERA_HELP.lost, 'lost');
  }

  /** Tells the page, once per code and connection: a fault in every picture is one fault. */
  #report(type: TrackingErrorType, message: string, code: string): void {
    if (type === 'SERVER_ERROR' && this.#reported.has(code)) return;
    this.#reported.add(code);
    this.#tell(() => this.onError({ type, message, code }));
  }

  /** A page's callback that throws must not break tracking. */
  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      reportError(error);
    }
  }

  /** Camera off, nothing listened to any more. The connection, if there is one, is the caller's to end. */
  #tearDown(): void {
    this.#run++;
    this.#loop?.stop();
    this.#loop = null;
    this.#camera.close();
    this.#connection = null;
    this.#memory = null;
    this.#initializing = null;
    this.#pausedByTab = false;
    this.#restore = null;
    this.#unwatch?.();
    this.#unwatch = null;
    this.#setCapturing(false);
    if (this.isConnected) this.#setConnected(false);
  }

  /** The page goes away; the session can be resumed by the next one. */
  #leave(): void {
    // A page that disconnects when it is left has been here already.
    if (this.#restore !== null) return;
    const { userId, moduleId, sectionId } = this;
    const connection = this.#connection;
    const wasActive = connection !== null;
    this.#tearDown();
    connection?.close();
    if (!wasActive || userId === null || moduleId === null) return;
    this.#watch();
    this.#restore = () => void this.initialize(userId, moduleId, sectionId);
  }

  #watch(): void {
    this.#unwatch?.();
    this.#unwatch = watchPage({
      onHide: () => this.#leave(),
      onRestore: () => {
        const restore = this.#restore;
        this.#restore = null;
        restore?.();
      },
      onVisibility: (visible) => this.#onVisibility(visible),
    });
  }

  #onVisibility(visible: boolean): void {
    if (this.#options.pauseWhenHidden === false) return;
    if (!visible && this.isCapturing) {
      this.#pause();
      this.#pausedByTab = true;
    } else if (visible && this.#pausedByTab) {
      this.startCapture();
    }
  }
}
