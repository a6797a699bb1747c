import { crc32 } from 'node:zlib';
import type { Mode } from '../../shared/direction.ts';
import { describeError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Calibrated } from '../../shared/protocol/calibration.ts';
import { type Hello, parseClientControl, type ServerControl } from '../../shared/protocol/control.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { FEATURES } from '../../shared/protocol/features.ts';
import { type ClientMessage, decodeClientMessage, FRAME_HEADER_BYTES } from '../../shared/protocol/frames.ts';
import { encodeUpdate } from '../../shared/protocol/update.ts';
import type { Logger } from '../lib/logger.ts';
import type { SampledLines } from '../lib/sampled-lines.ts';
import type { ConnectionClock } from '../lib/steady-clock.ts';
import { within } from '../lib/timeout.ts';
import type { GatewayMetrics } from '../observability/metrics.ts';
import type { InferencePool } from '../relay/inference-pool.ts';
import type { CalibrationRecord } from '../store/calibrations.ts';
import { accountTotals, plainTotals, type SessionAccount } from './account.ts';
import { centreRecordOf } from './account-calibration.ts';
import { lifecycleLines } from './connection/log-lines.ts';
import { openConnection, reduceConnection } from './connection/reduce.ts';
import type { ConnectionEffect, ConnectionEvent, ConnectionState } from './connection/state.ts';
import { type LiveSession, liveSession } from './live.ts';
import type { LoadWatch } from './load-watch.ts';
import type { Transport } from './transport.ts';

/** A peer that does not read is closed once this much waits for it. */
export const MAX_BUFFERED_BYTES = 256 * 1024;
/** How long a stop waits for its windows to be on the disk: after that the client is told that it is full, and it is tried again. */
export const STOP_SAVE_MS = 2000;
/** How long a frame may take at inference before its answer is worth nothing. */
export const FRAME_BUDGET_MS = 1000;

/** What admission yields: the account to work on and the token to resume it with. */
export interface Admission {
  readonly account: SessionAccount;
  readonly resumed: boolean;
  readonly resumeToken: string;
  readonly lateToken: string;
}

export interface StreamDependencies {
  readonly now: () => number;
  /** The operator's own limit of the rate, messages per second. */
  readonly maxFps: number;
  /** Yields limits by load, and learns how inference answers. */
  readonly load: Pick<LoadWatch, 'limitsOf' | 'note'>;
  /** UTC ms at 0 of the monotonic clock, as `now` has it. */
  readonly clockOffsetMs: number;
  readonly windowMs: number;
  /** Modes that the operator allows. */
  readonly allowedModes: readonly Mode[];
  /** How late an observation of a device may be, ms. */
  readonly lateMaxMs: number;
  /** Midnights of the database's time zone, UTC ms in order. */
  readonly dayEndsMs: () => readonly number[];
  readonly inference: Pick<InferencePool, 'request'>;
  readonly logger: Logger;
  /** Of lines that any number of connections may cause. */
  readonly sampled: SampledLines;
  readonly metrics: Pick<GatewayMetrics, 'received' | 'refused' | 'answered' | 'inferred' | 'closed' | 'calibrated'>;
  /** Calls the stream's welcome() with what it found. Rejects with ProtocolError. */
  readonly admit: (hello: Hello, stream: Stream) => Promise<void>;
  /** Resolves once the window is on disk. */
  readonly save: (window: MetricsWindow) => Promise<void>;
  /** Resolves once the calibration is on disk. */
  readonly keepCalibration: (record: CalibrationRecord) => Promise<void>;
  readonly detach: (account: SessionAccount, stream: Stream) => void;
  /** What is to be written of the open window has changed; without `isAnswered` inference is yet to answer a picture. */
  readonly changed: (isAnswered: boolean) => void;
}

/** Identifies what a message shows, to detect a frozen camera: two pictures of a live one rarely have the same. */
function digestOf(message: ClientMessage, bytes: Uint8Array): number | null {
  return message.kind === 'same' ? null : crc32(bytes.subarray(FRAME_HEADER_BYTES));
}

/** The account while it is counting, else null. */
function accountOf(state: ConnectionState): SessionAccount | null {
  return state.phase === 'tracking' || state.phase === 'stopping' ? state.account : null;
}

/** Edge between one student's transport and the pure reducer: carries events in and effects out. */
export class Stream {
  readonly #transport: Transport;
  readonly #deps: StreamDependencies;
  #state: ConnectionState;
  /** Whether every window so far could be saved, once that is known of the newest. Never rejects. */
  #saved: Promise<boolean> = Promise.resolve(true);
  #unsaved = 0;

  constructor(transport: Transport, deps: StreamDependencies) {
    this.#transport = transport;
    this.#deps = deps;
    this.#state = openConnection(deps.now());
  }

  /** The session on this connection; null before it is admitted and after its end. */
  get live(): LiveSession | null {
    const state = this.#state;
    if (state.phase !== 'ready' && state.phase !== 'tracking' && state.phase !== 'stopping') return null;
    return liveSession(state.account, state.phase, this.#deps.now());
  }

  /** True when every window handed over so far is on disk. */
  get isSaved(): boolean {
    return this.#unsaved === 0;
  }

  /** The account while it is counting, else null. */
  get countingAccount(): SessionAccount | null {
    return accountOf(this.#state);
  }

  /** How metrics count it: where its observations are made and what its student does, `none` where nothing can be said. */
  get labels(): {
    readonly transport: Transport['kind'];
    readonly mode: string;
    readonly phase: string;
    readonly state: string;
  } {
    const state = this.#state;
    const mode = 'account' in state ? state.account.mode : 'none';
    return { transport: this.#transport.kind, mode, phase: state.phase, state: this.live?.state ?? 'none' };
  }

  /** The connection's own clock, which does not step. */
  get clock(): ConnectionClock {
    return { now: this.#deps.now, offsetMs: this.#deps.clockOffsetMs };
  }

  /** True while it waits for its admission. */
  get isAuthenticating(): boolean {
    return this.#state.phase === 'authenticating';
  }

  /** The student is admitted. */
  welcome(admission: Admission): void {
    this.dispatch({ type: 'admitted', ...admission });
  }

  receiveText(text: string): void {
    // Until the peer answers the close, what it still sends is not worth reading.
    if (this.#state.phase === 'ended') return;
    try {
      const agreed = 'features' in this.#state ? this.#state.features : [];
      this.dispatch({ type: 'control', message: parseClientControl(text, agreed) });
    } catch (error) {
      this.#fault(error);
    }
  }

  receiveBinary(bytes: Uint8Array): void {
    if (this.#state.phase === 'ended') return;
    try {
      const message = decodeClientMessage(bytes);
      const digest = digestOf(message, bytes);
      this.#deps.metrics.received(message.kind);
      this.dispatch({ type: 'message', message, bytes: bytes.byteLength, digest });
    } catch (error) {
      this.#fault(error);
    }
  }

  /** Ends a peer that is gone without saying so (C-5). */
  checkAlive(): void {
    this.#transport.checkAlive();
  }

  dispatch(event: ConnectionEvent): void {
    const { now, load, maxFps, windowMs, allowedModes, lateMaxMs, dayEndsMs } = this.#deps;
    const before = this.#state;
    const limits = load.limitsOf('account' in before ? before.account.mode : 'server');
    const step = reduceConnection(before, event, {
      nowMs: now(),
      limits,
      maxFps,
      windowMs,
      allowedModes,
      lateMaxMs,
      dayEndsMs: dayEndsMs(),
      features: FEATURES,
    });
    this.#state = step.state;
    if (step.state.phase !== before.phase) {
      const { logger, sampled } = this.#deps;
      for (const { fields, message, sampledAs } of lifecycleLines(before, step.state, step.effects)) {
        if (sampledAs === null) logger.info(fields, message);
        else sampled(sampledAs, (connections) => logger.info({ ...fields, connections }, message));
      }
    }
    for (const effect of step.effects) this.#carryOut(effect);
    const after = this.#state;
    const isAnswered = !('slot' in after) || after.slot.inFlight === null;
    if (accountOf(before) !== accountOf(after)) this.#deps.changed(isAnswered);
  }

  #fault(error: unknown): void {
    if (error instanceof ProtocolError) {
      this.dispatch({ type: 'fault', error, seq: null });
      return;
    }
    this.#deps.logger.error({ code: 'internal', reason: describeError(error) }, 'a message could not be handled');
    this.dispatch({
      type: 'fault',
      error: new ProtocolError('internal', 'the gateway failed on this message'),
      seq: null,
    });
  }

  #carryOut(effect: ConnectionEffect): void {
    switch (effect.type) {
      case 'send':
        if (effect.message.type === 'error') this.#deps.metrics.refused(effect.message.code);
        this.#countCalibration(effect.message);
        this.#send(JSON.stringify(effect.message));
        break;
      case 'update':
        this.#deps.metrics.answered(effect.update.outcome, effect.late);
        this.#send(encodeUpdate(effect.update));
        break;
      case 'authenticate':
        this.#authenticate(effect.hello);
        break;
      case 'infer':
        this.#infer(effect);
        break;
      case 'save':
        this.#save(effect.window);
        break;
      case 'keep_calibration': {
        this.#countCalibration(effect.message);
        const answer = (kept: boolean) => this.#send(JSON.stringify({ ...effect.message, kept }));
        this.#deps.keepCalibration(effect.record).then(
          () => answer(true),
          (error: unknown) => {
            this.#deps.logger.error(
              { code: 'spool_failed', reason: describeError(error) },
              'a calibration is used but could not be kept',
            );
            answer(false);
          },
        );
        break;
      }
      case 'stopped':
        void within(this.#saved, STOP_SAVE_MS, false).then((saved) => this.#sendStopped(effect.account, saved));
        break;
      case 'detach':
        this.#keepCentre(effect.account);
        this.#deps.detach(effect.account, this);
        break;
      case 'close':
        this.#deps.metrics.closed(effect.code);
        this.#transport.close(effect.code, effect.reason);
        break;
    }
  }

  #save(window: MetricsWindow): void {
    const { save } = this.#deps;
    const before = this.#saved;
    this.#unsaved += 1;
    this.#saved = save(window).then(
      () => {
        this.#unsaved -= 1;
        return before;
      },
      () => false,
    );
  }

  /** The student's own centre is kept for their next session on this device; the session does not wait for it. */
  #keepCentre(account: SessionAccount): void {
    const record = centreRecordOf(account);
    if (record === null) return;
    this.#deps.keepCalibration(record).catch((error: unknown) => {
      this.#deps.logger.warn({ code: 'spool_failed', reason: describeError(error) }, 'an own centre could not be kept');
    });
  }

  #countCalibration(message: ServerControl | Omit<Calibrated, 'kept'>): void {
    const { metrics } = this.#deps;
    if (message.type === 'calibrated') metrics.calibrated(message.applied ? 'applied' : 'inexact');
    else if (message.type === 'calibration_refused') metrics.calibrated(message.reason);
  }

  #sendStopped(account: SessionAccount, saved: boolean): void {
    const totals = plainTotals(accountTotals(account));
    this.#send(JSON.stringify({ type: 'stopped', sessionId: account.sessionId, totals, saved }));
  }

  #send(data: string | Uint8Array): void {
    if (!this.#transport.isOpen) return;
    if (this.#transport.bufferedAmount > MAX_BUFFERED_BYTES && this.#state.phase !== 'ended') {
      const error = new ProtocolError('slow_reader', 'updates are not read; the connection is too slow for them');
      this.dispatch({ type: 'fault', error, seq: null });
      return;
    }
    this.#transport.send(data);
  }

  #authenticate(hello: Hello): void {
    this.#deps.admit(hello, this).catch((error: unknown) => this.#fault(error));
  }

  #infer(effect: Extract<ConnectionEffect, { type: 'infer' }>): void {
    const { message } = effect.frame;
    this.#deps.inference
      .request({
        budgetMs: FRAME_BUDGET_MS,
        frame: effect.camera,
        crop: message.crop,
        roi: effect.roi,
        countFaces: effect.countFaces,
        image: message.image,
      })
      .then((answer) => {
        this.#deps.load.note(answer.status);
        this.#deps.metrics.inferred(answer.status, this.#deps.now() - effect.frame.receivedAtMs);
        if (answer.status === 'ok') {
          this.dispatch({ type: 'observed', frame: effect.frame, observation: answer.observation });
        } else {
          this.dispatch({ type: 'unserved', frame: effect.frame, status: answer.status });
        }
      })
      .catch((error: unknown) => this.#fault(error));
  }
}
