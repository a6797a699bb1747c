import { describeError } from '../../shared/errors.ts';
import type { PauseReason } from '../../shared/pause.ts';
import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
import type { CalibrationResult } from '../calibration/result.ts';
import { Camera, type CameraErrorKind, type CameraWish } from '../capture/camera.ts';
import { rememberCamera } from '../capture/camera-choice.ts';
import { startCaptureAhead } from '../capture/start-capture-worker.ts';
import { type GatewayAddresses, gatewayAddresses } from '../connection/addresses.ts';
import type { ConnectionStats, Stopped } from '../connection/connection-options.ts';
import type { ConnectionPhase, EndReason } from '../connection/link-state.ts';
import { MAX_FPS } from '../connection/pacing/pacing.ts';
import { wantsLessData } from '../lib/data-saver.ts';
import type { ModeWish } from '../session/mode-choice.ts';
import type { ModeReport } from '../session/mode-controller.ts';
import { openAhead } from '../session/open-transports.ts';
import { isLeaving, watchPage } from '../session/page-life.ts';
import { StudentSession } from '../session/student-session.ts';
import { presentCalibration, type ReceivedCalibration, runCalibration } from './page-calibration.ts';
import { type ExplainTrouble, PageReports } from './page-reports.ts';
import { type TrackingUpdate, toTrackingUpdate } from './payload.ts';
import { defaultServerUrl } from './script-tag.ts';
import { parseSectionId } from './section.ts';
import { obtainTicket, TicketSource } from './tickets.ts';
import type { TrackingError, WebcamWebSocketOptions } from './types.ts';
import { feedWidget, feedWidgetConnection } from './widget.ts';

/**
 * The class that EyeLearn's pages use, on the gateway's protocol: same options, methods, properties, callbacks and error
 * types. One object is one student at one module; session and camera continue from one lesson section to the next.
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
  #session: StudentSession | null = null;
  #initializing: Promise<boolean> | null = null;
  #unwatch: (() => void) | null = null;
  #sessionId: string | null = null;
  #run = 0;
  #restore: (() => void) | null = null;
  #mode: ModeWish;
  #lessData: boolean;
  readonly #reports = new PageReports(() => this.onError);
  #calibration: ReceivedCalibration | null = null;

  constructor(options: WebcamWebSocketOptions = {}) {
    this.#options = options;
    this.#mode = options.mode ?? 'auto';
    this.#lessData = options.lessData ?? wantsLessData();
    this.serverUrl = options.serverUrl || defaultServerUrl();
    this.frameRate = options.frameRate || 15;
    this.jpegQuality = options.jpegQuality || 0.7;
    this.videoWidth = options.videoWidth || 640;
    this.videoHeight = options.videoHeight || 480;
    this.onTrackingUpdate = options.onTrackingUpdate ?? (() => {});
    this.onConnectionChange = options.onConnectionChange ?? (() => {});
    this.onError = options.onError ?? ((error) => console.error(`gaze-relay: ${error.type}: ${error.message}`));
    this.#camera.onLost = () => this.#onCameraLost();
    this.#camera.onSlow = () => this.#reports.reportCamera('slow');
    this.#camera.onFlow = (flowing, sinceMs) => this.#onCameraFlow(flowing, sinceMs);
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

  /** Traffic and latency of the current connection; null when there is none. */
  stats(): ConnectionStats | null {
    return this.#session?.stats() ?? null;
  }

  /** The calibration in use, with its present age; null without one. */
  get calibration(): CalibrationStatus | null {
    return this.#calibration && presentCalibration(this.#calibration);
  }

  /**
   * Shows the student five dots, over the whole window, while tracking runs. Resolves when they are done or have
   * skipped it, with `unavailable` where it cannot be loaded or begun. Never rejects.
   */
  calibrate(): Promise<CalibrationResult> {
    return runCalibration(this.serverUrl, () => {
      const channel = this.#session?.calibration;
      return this.isCapturing && this.isConnected && channel?.isBusy === false ? channel : null;
    });
  }

  /**
   * Opens the camera, connects and starts capture. Resolves with true once connected, with false after any failure
   * (reported by onError; the camera is off then). Never rejects. A second call for the same student and module only
   * changes the section.
   */
  initialize(
    userId: number | string,
    moduleId: number | string,
    sectionId: number | string | null = null,
  ): Promise<boolean> {
    const same = this.userId === userId && this.moduleId === moduleId;
    this.sectionId = sectionId;
    if (same && this.#initializing !== null) return this.#initializing;
    if (same && this.#session !== null) {
      this.setSection(sectionId);
      this.startCapture();
      return Promise.resolve(true);
    }
    if (this.#session !== null) void this.finish();
    this.userId = userId;
    this.moduleId = moduleId;
    const attempt = this.#initialize(userId, moduleId).catch((error: unknown) => {
      this.#tearDown();
      this.#reports.report('SERVER_ERROR', describeError(error), 'internal');
      return false;
    });
    this.#initializing = attempt;
    void attempt.then(() => {
      if (this.#initializing === attempt) this.#initializing = null;
    });
    return attempt;
  }

  /** Resumes after stopCapture or stopWebcam. */
  startCapture(): void {
    this.#session?.capture.resume();
  }

  /** Pauses: no pictures are taken and no time is counted. Camera and connection stay. */
  stopCapture(): void {
    this.#session?.capture.pause('student');
  }

  /** Pauses and turns the camera off, also while its permission prompt is open. */
  stopWebcam(): void {
    this.stopCapture();
    this.#camera.close();
  }

  /**
   * Ends the session and turns the camera off. While the page is being left the session stays open for a moment, so
   * that the next lesson section resumes it.
   */
  disconnect(): void {
    if (isLeaving()) this.#leave();
    else void this.finish();
  }

  /** As disconnect, and resolves with the gateway's final totals, null when it does not answer. */
  async finish(): Promise<Stopped | null> {
    const session = this.#session;
    const stopped = session?.finish() ?? null;
    this.#tearDown();
    return stopped;
  }

  /** The student moved to another lesson section of the module; the session continues. */
  setSection(sectionId: number | string | null): void {
    this.sectionId = sectionId;
    this.#session?.setSection(parseSectionId(sectionId));
  }

  /** Where to analyse pictures from now on; session and camera continue. */
  setMode(mode: ModeWish): void {
    this.#mode = mode;
    this.#session?.modes.setWish(mode);
  }

  /** Uses this camera (`deviceId` of enumerateDevices) from now on, also on later pages of this browser. */
  setCamera(deviceId: string): void {
    rememberCamera(deviceId);
    this.#session?.capture.changeCamera();
  }

  /** Why capture is paused; null while it runs, and without a session. */
  get pauseReason(): PauseReason | null {
    return this.#session?.capture.paused ?? null;
  }

  /** True while pictures are fewer or smaller than they would be on a good link. */
  get slowLink(): boolean {
    return this.#session?.slow ?? false;
  }

  get lessData(): boolean {
    return this.#lessData;
  }

  /** Use less data, or no longer. */
  setLessData(lessData: boolean): void {
    this.#lessData = lessData;
    this.#session?.setLessData(lessData);
  }

  /** Where pictures are analysed now, and why; null when nothing is tracked. */
  get modeReport(): ModeReport | null {
    return this.#session?.modes.report ?? null;
  }

  async #initialize(userId: number | string, moduleId: number | string): Promise<boolean> {
    let addresses: GatewayAddresses;
    try {
      addresses = gatewayAddresses(this.serverUrl);
    } catch (error) {
      this.#reports.report('WEBSOCKET_ERROR', describeError(error), 'server_url_invalid');
      return false;
    }
    this.#watch();
    const run = ++this.#run;
    const tickets = new TicketSource(() => obtainTicket(this.#options, addresses.httpOrigin, userId, moduleId));
    const asked = tickets.refusal();
    openAhead(addresses);
    if (this.#mode !== 'device') startCaptureAhead(addresses.httpOrigin);
    const refusal = await asked;
    if (run !== this.#run) return false;
    if (refusal !== null) {
      this.#tearDown();
      this.#reports.report('SERVER_ERROR', refusal, 'ticket_refused');
      return false;
    }
    const size = await this.#camera.openOrReport(this.#cameraWish(), ({ kind }) => this.#reportCamera(kind));
    // Ended, and perhaps started again, while the permission prompt was open.
    if (run !== this.#run) return false;
    if (size === null) {
      this.#tearDown();
      return false;
    }
    this.#reports.forget();
    const session = this.#createSession(addresses, tickets, userId, moduleId);
    this.#session = session;
    return session.open();
  }

  #createSession(
    addresses: GatewayAddresses,
    tickets: TicketSource,
    userId: number | string,
    moduleId: number | string,
  ): StudentSession {
    let before: TrackingUpdate | null = null;
    return new StudentSession({
      addresses,
      userId,
      moduleId,
      getTicket: () => tickets.take(),
      camera: this.#camera,
      settings: { fps: this.#options.frameRate === undefined ? null : this.frameRate, quality: this.jpegQuality },
      mode: this.#mode,
      lessData: this.#lessData,
      onMode: (report) => {
        this.#reports.call(() => this.#options.onModeChange?.(report));
        this.#reports.reportMode(report);
      },
      onDeviceFailed: (code) => void this.#blamePage((page, tracker) => page.explainDevice(code, tracker)),
      sectionId: () => parseSectionId(this.sectionId),
      cameraWish: () => this.#cameraWish(),
      onCameraError: ({ kind }) => void this.#reportCamera(kind),
      onCaptureChange: (capturing) => {
        this.isCapturing = capturing;
        this.#reports.call(() => this.#options.onCaptureChange?.(capturing));
      },
      onSession: (session) => {
        this.#sessionId = session.sessionId;
        this.#reports.forget();
        this.#reports.call(() => this.#options.onSession?.(session));
      },
      onCalibrationStatus: (status) => {
        this.#calibration = status && { status, atMs: performance.now() };
        this.#reports.call(() => this.#options.onCalibrationChange?.(this.calibration));
      },
      onPhase: (phase) => this.#onPhase(phase),
      onUpdate: (update) => {
        const payload = toTrackingUpdate(update, new Date(), before);
        before = payload;
        feedWidget(payload);
        this.#reports.call(() => this.onTrackingUpdate(payload));
      },
      onNotice: (notice) => this.#reports.call(() => this.#options.onNotice?.(notice)),
      onFault: (fault) => this.#reports.reportFault(fault),
      onEnded: (reason) => this.#onEnded(reason),
    });
  }

  #cameraWish(): CameraWish {
    return { widthPx: this.videoWidth, heightPx: this.videoHeight, fps: Math.max(MAX_FPS, this.frameRate) };
  }

  /** A refusal may be that of the page around this one. */
  async #reportCamera(kind: CameraErrorKind): Promise<void> {
    const isEmbedded = kind === 'denied' && window.top !== window;
    if (isEmbedded && (await this.#blamePage((trouble) => trouble.explainRefusedCamera()))) return;
    this.#reports.reportCamera(kind);
  }

  #blamePage(explain: ExplainTrouble): Promise<boolean> {
    const run = this.#run;
    const { httpOrigin } = gatewayAddresses(this.serverUrl);
    const tracker = () => ({ httpOrigin, isConnected: this.isConnected, mode: this.#mode });
    return this.#reports.reportTrouble(explain, tracker, () => run === this.#run);
  }

  #onPhase(phase: ConnectionPhase): void {
    const connected = phase === 'connected';
    if (connected !== this.isConnected) this.#setConnected(connected);
    this.#reports.call(() => this.#options.onPhaseChange?.(phase));
  }

  #setConnected(connected: boolean): void {
    this.isConnected = connected;
    feedWidgetConnection(connected);
    this.#reports.call(() => this.onConnectionChange(connected));
  }

  #onEnded(reason: Exclude<EndReason, 'closed'>): void {
    this.#tearDown();
    this.#reports.call(() => this.#options.onPhaseChange?.('ended'));
    this.#reports.reportEnd(reason);
  }

  #onCameraLost(): void {
    if (this.#session === null) return;
    this.#session.capture.pause('camera');
    this.#reports.reportCamera('lost');
  }

  /** Pictures that stopped are time without a reading; capture resumes with them. */
  #onCameraFlow(flowing: boolean, sinceMs: number): void {
    const capture = this.#session?.capture;
    if (flowing) capture?.resumeAfter('camera');
    else if (this.isCapturing) {
      capture?.pause('camera', sinceMs);
      this.#reports.reportCamera('stalled');
    }
  }

  /** Turns the camera off and removes all listeners. The caller ends the session with the gateway. */
  #tearDown(): void {
    this.#run++;
    const session = this.#session;
    this.#session = null;
    this.#camera.close();
    this.#initializing = null;
    this.#restore = null;
    this.#unwatch?.();
    this.#unwatch = null;
    session?.detach();
    if (this.isConnected) this.#setConnected(false);
  }

  /** The page is left; the next one can resume the session. */
  #leave(): void {
    // A page that disconnects while it is left has called this already.
    if (this.#restore !== null) return;
    const { userId, moduleId, sectionId } = this;
    const session = this.#session;
    this.#tearDown();
    session?.leave();
    if (session === null || userId === null || moduleId === null) return;
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
      onVisibility: (visible) => {
        if (this.#options.pauseWhenHidden === false) return;
        if (visible) this.#session?.capture.resumeAfter('hidden');
        else this.#session?.capture.pause('hidden');
      },
      onWake: () => this.#session?.renew(),
      onCameraPresent: () => {
        if (this.stream === null) this.#session?.capture.resumeAfter('camera');
      },
      onRefused: (violation) => void this.#blamePage((page, tracker) => page.explainViolation(violation, tracker)),
    });
  }
}
