import { describeError } from '../../shared/errors.ts';
import type { CalibrationStatus } from '../../shared/protocol/calibration.ts';
import type { Update } from '../../shared/protocol/update.ts';
import { CalibrationChannel } from '../calibration/channel.ts';
import type { GatewayAddresses } from '../connection/addresses.ts';
import type { RelayConnection } from '../connection/connection.ts';
import type { ConnectionStats, Stopped } from '../connection/connection-options.ts';
import { FrameOutbox } from '../connection/frame-outbox.ts';
import type { ConnectionPhase, EndReason, Fault } from '../connection/link-state.ts';
import { ModeOutbox } from '../connection/mode-outbox.ts';
import { deferred } from '../lib/deferred.ts';
import { loadAsset } from '../lib/gateway-assets.ts';
import { createBrowserConnection } from './browser-connection.ts';
import { CaptureSession, type CaptureSessionOptions } from './capture-session.ts';
import type { DeviceMode, Notice } from './device-mode.ts';
import type { ModeWish } from './mode-choice.ts';
import { ModeController, type ModeReport } from './mode-controller.ts';
import type { StoredSession } from './observation-store.ts';
import { ResumeMemory } from './resume-memory.ts';
import { hasStoredObservations } from './stored-flag.ts';

/** The session with the gateway, for the page. */
export interface TrackingSession {
  readonly sessionId: string;
  /** True when it was resumed, after a reconnect or on the next page. */
  readonly resumed: boolean;
}

export interface StudentSessionOptions extends Omit<CaptureSessionOptions, 'connection' | 'createPlacement'> {
  readonly addresses: GatewayAddresses;
  readonly userId: number | string;
  readonly moduleId: number | string;
  readonly mode: ModeWish;
  readonly lessData: boolean;
  getTicket(): Promise<string>;
  onMode(report: ModeReport): void;
  /** Device mode cannot be used. `code`: of the RelayError that says why; null where none does. */
  onDeviceFailed(code: string | null): void;
  onSession(session: TrackingSession): void;
  onPhase(phase: ConnectionPhase): void;
  /** The calibration in use, at every welcome and after each calibration. */
  onCalibrationStatus(status: CalibrationStatus | null): void;
  onUpdate(update: Update): void;
  onNotice(notice: Notice): void;
  onFault(fault: Fault): void;
  /** The connection has ended and will not reconnect. */
  onEnded(reason: Exclude<EndReason, 'closed'>): void;
}

/** One student at one module: connection, capture, and what resumes the session on the next page. */
export class StudentSession {
  readonly capture: CaptureSession;
  readonly calibration: CalibrationChannel;
  readonly #options: StudentSessionOptions;
  readonly #connection: RelayConnection;
  readonly #memory: ResumeMemory;
  #deviceMode: DeviceMode | null = null;
  #stored: StoredSession | null = null;
  readonly #frameOutbox = new FrameOutbox();
  readonly modes: ModeController;
  #connected = false;
  #detached = false;
  readonly #opened = deferred<boolean>();
  readonly #onOnline = () => this.#connection.hurry();

  constructor(options: StudentSessionOptions) {
    this.#options = options;
    const { addresses, userId, moduleId, settings } = options;
    this.#memory = new ResumeMemory(addresses.httpOrigin, userId, moduleId);
    this.#connection = this.#createConnection();
    this.#connection.pacer.bound({ pageFps: settings.fps, lessData: options.lessData });
    this.modes = new ModeController({
      httpOrigin: addresses.httpOrigin,
      wish: options.mode,
      lessData: options.lessData,
      loadDeviceMode: () => this.#loadDeviceMode(),
      wantedFps: () => this.#connection.pacer.wantedFps,
      exchange: (createPlacement) => {
        // Pictures that a slow link could not carry are dropped in device mode; their time is untracked.
        if (this.modes.mode === 'device') this.#frameOutbox.reset();
        this.capture.exchange(createPlacement);
      },
      canChange: () => (this.#deviceMode?.outbox.size ?? 0) === 0 && !this.calibration.isBusy,
      onFailed: options.onDeviceFailed,
      onReport: (report) => {
        if (!this.#detached) options.onMode(report);
      },
    });
    this.capture = new CaptureSession({
      ...options,
      connection: this.#connection,
      createPlacement: this.modes.createPlacement,
      onCaptureChange: (capturing) => {
        this.#noteFlowing();
        if (!capturing) this.calibration.interrupt();
        options.onCaptureChange(capturing);
      },
    });
    this.calibration = new CalibrationChannel({
      clockMs: () => (this.capture.capturing ? this.#connection.captureClockMs() : null),
      send: (request) => this.#connection.sendCalibration(request),
    });
  }

  /** Starts capture and connects. Resolves with true at the first welcome, with false when it ends before. */
  open(): Promise<boolean> {
    window.addEventListener('online', this.#onOnline);
    this.modes.begin();
    this.capture.resume();
    this.#connection.connect();
    return this.#opened.promise;
  }

  async #flushStored(): Promise<void> {
    const { addresses, getTicket } = this.#options;
    try {
      const deviceMode = await this.#loadDeviceMode();
      const renew = () => this.#detached || this.renew();
      const resumeToken = this.#memory.read();
      await deviceMode.flush({ addresses, getTicket, connect: createBrowserConnection, resumeToken, renew });
    } catch (error) {
      // They stay stored.
      console.warn(`gaze-relay: ${describeError(error)}`);
    }
  }

  /** Rejects with RelayError `module_unavailable`. */
  async #loadDeviceMode(): Promise<DeviceMode> {
    const { addresses, userId, moduleId } = this.#options;
    const { httpOrigin } = addresses;
    const module = await loadAsset<typeof import('./device-mode.ts')>('deviceMode', httpOrigin);
    const deviceMode = this.#deviceMode ?? new module.DeviceMode(httpOrigin, userId, moduleId, this.#options.onNotice);
    if (this.#stored !== null) deviceMode.setSession(this.#stored);
    this.#deviceMode = deviceMode;
    return deviceMode;
  }

  #noteFlowing(): void {
    this.modes.noteFlowing(this.#connected && this.capture.capturing);
  }

  stats(): ConnectionStats {
    return this.#connection.stats();
  }

  /** True while pictures are fewer or smaller than they would be on a good link. */
  get slow(): boolean {
    return this.modes.mode === 'server' && this.#connection.pacer.slow;
  }

  setLessData(lessData: boolean): void {
    this.#connection.pacer.bound({ lessData });
    this.modes.setLessData(lessData);
  }

  /** Connects anew: the gateway says how far the capture clock is. */
  renew(): void {
    this.#connection.renew();
  }

  setSection(sectionId: number | null): void {
    this.#connection.setSection(sectionId);
  }

  /** Stops all callbacks and takes no more pictures. The connection stays open until it is closed. */
  detach(): void {
    this.#detached = true;
    window.removeEventListener('online', this.#onOnline);
    this.capture.end();
    this.modes.dispose();
  }

  /**
   * Ends the session with the gateway, after everything queued; observations that cannot be sent in time are sent by
   * the next page. Resolves with the totals, null when the gateway does not answer.
   */
  async finish(): Promise<Stopped | null> {
    this.#memory.clear();
    const stopped = await this.#connection.stop();
    this.#connection.close();
    return stopped;
  }

  /** Closes the connection; the next page of this tab may resume the session. */
  leave(): void {
    this.#connection.close();
  }

  #createConnection(): RelayConnection {
    const { addresses, getTicket, onCalibrationStatus, onEnded, onFault, onPhase, onSession, onUpdate } = this.#options;
    return createBrowserConnection({
      addresses,
      resumeToken: this.#memory.read(),
      getTicket: async () => {
        if (hasStoredObservations()) await this.#flushStored();
        return getTicket();
      },
      mode: () => this.modes.mode,
      outbox: new ModeOutbox(() => this.modes.mode, {
        server: () => this.#frameOutbox,
        device: () => this.#deviceMode?.outbox ?? null,
      }),
      onWelcome: ({ resume, late, sessionId, resumed, calibration, features }) => {
        this.calibration.canTurn = features.includes('turning');
        if (!this.#detached) {
          this.#memory.write(resume);
          const { camera, sectionId } = this.#options;
          if (camera.size !== null) {
            this.#stored = { sessionId, token: late ?? resume, camera: camera.size, sectionId: sectionId() };
            this.#deviceMode?.setSession(this.#stored);
          }
          this.capture.forget();
          onSession({ sessionId, resumed });
          onCalibrationStatus(calibration);
        }
        this.#opened.resolve(true);
      },
      onUpdate: (update, latencyMs) => {
        if (this.#detached) return;
        this.modes.noteUpdate(update, latencyMs);
        // A picture that is still the same is not measured again, and calibrations need measurements.
        const measures = this.calibration.isBusy && this.modes.mode === 'server';
        if (update.outcome !== 'processed' || measures) this.capture.forget();
        if (update.outcome === 'processed') this.calibration.processed(update.captureMs);
        onUpdate(update);
      },
      onCalibration: (answer) => {
        // It is in use even if the student did not wait for the answer.
        if (!this.#detached && answer.type === 'calibrated' && answer.applied) {
          onCalibrationStatus({ ...answer, ageMs: 0 });
        }
        this.calibration.answer(answer);
      },
      onFault: (fault) => {
        if (!this.#detached) onFault(fault);
      },
      onConnectionChange: (phase) => {
        this.#connected = phase === 'connected';
        if (phase !== 'connected') this.calibration.interrupt();
        if (this.#detached) return;
        this.#noteFlowing();
        onPhase(phase);
      },
      onEnded: (reason) => {
        if (!this.#detached && reason !== 'closed') {
          if (reason !== 'unreachable') this.#memory.clear();
          onEnded(reason);
        }
        this.#opened.resolve(false);
      },
    });
  }
}
