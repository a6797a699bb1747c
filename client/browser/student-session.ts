import type { Update } from '../../shared/protocol/update.ts';
import type { GatewayAddresses } from '../core/addresses.ts';
import type { RelayConnection } from '../core/connection.ts';
import type { ConnectionPhase, ConnectionStats, Stopped } from '../core/connection-options.ts';
import type { EndReason, Fault } from '../core/link-state.ts';
import type { TrackingSession } from '../types.ts';
import { createBrowserConnection } from './browser-connection.ts';
import { CaptureSession, type CaptureSessionOptions } from './capture-session.ts';
import { ResumeMemory } from './resume-memory.ts';

export interface StudentSessionOptions extends Omit<CaptureSessionOptions, 'connection'> {
  readonly addresses: GatewayAddresses;
  readonly userId: number | string;
  readonly moduleId: number | string;
  getTicket(): Promise<string>;
  onSession(session: TrackingSession): void;
  onPhase(phase: ConnectionPhase): void;
  onUpdate(update: Update): void;
  onFault(fault: Fault): void;
  /** The connection is over and will not come back by itself. */
  onEnded(reason: Exclude<EndReason, 'closed'>): void;
}

/** One student at one module: connection, capture and the memory of the session over page loads. */
export class StudentSession {
  readonly capture: CaptureSession;
  readonly #options: StudentSessionOptions;
  readonly #connection: RelayConnection;
  readonly #memory: ResumeMemory;
  #detached = false;
  #settleOpening: (connected: boolean) => void = () => {};

  constructor(options: StudentSessionOptions) {
    this.#options = options;
    this.#memory = new ResumeMemory(options.addresses.httpOrigin, options.userId, options.moduleId);
    this.#connection = this.#createConnection();
    this.capture = new CaptureSession({ ...options, connection: this.#connection });
  }

  /** Begins capture and connects. Resolves with true at the first welcome, with false when it ends before. */
  open(): Promise<boolean> {
    const opening = new Promise<boolean>((resolve) => {
      this.#settleOpening = resolve;
    });
    this.capture.resume();
    this.#connection.connect();
    return opening;
  }

  stats(): ConnectionStats {
    return this.#connection.stats();
  }

  setSection(sectionId: number | null): void {
    this.#connection.setSection(sectionId);
  }

  /** Tells nobody of anything any more, and takes no more pictures. The connection stays until closed. */
  detach(): void {
    this.#detached = true;
    this.capture.end();
  }

  /** Ends the session with the gateway. Resolves with its totals, null when it does not answer. */
  async finish(): Promise<Stopped | null> {
    this.#memory.clear();
    const stopped = await this.#connection.stop();
    this.#connection.close();
    return stopped;
  }

  /** Closes the connection; the next page of this tab may go on with the session. */
  leave(): void {
    this.#connection.close();
  }

  #createConnection(): RelayConnection {
    const { addresses, getTicket, onEnded, onFault, onPhase, onSession, onUpdate } = this.#options;
    return createBrowserConnection({
      url: addresses.streamUrl,
      resumeToken: this.#memory.read(),
      getTicket,
      onWelcome: ({ resume, sessionId, resumed }) => {
        if (!this.#detached) {
          this.#memory.write(resume);
          this.capture.forget();
          onSession({ sessionId, resumed });
        }
        this.#settleOpening(true);
      },
      onUpdate: (update) => {
        if (this.#detached) return;
        if (update.outcome !== 'processed') this.capture.forget();
        onUpdate(update);
      },
      onFault: (fault) => {
        if (!this.#detached) onFault(fault);
      },
      onConnectionChange: (phase) => {
        if (!this.#detached) onPhase(phase);
      },
      onEnded: (reason) => {
        if (!this.#detached && reason !== 'closed') {
          if (reason !== 'unreachable') this.#memory.clear();
          onEnded(reason);
        }
        this.#settleOpening(false);
      },
    });
  }
}
