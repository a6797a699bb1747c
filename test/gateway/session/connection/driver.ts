import { crc32 } from 'node:zlib';
import { openAccount, type SessionAccount } from '../../../../gateway/session/account.ts';
import { openConnection, reduceConnection } from '../../../../gateway/session/connection/reduce.ts';
import type {
  ConnectionEffect,
  ConnectionEvent,
  ConnectionState,
} from '../../../../gateway/session/connection/state.ts';
import { faceAtScreen } from '../../../../harness/observations.ts';
import { MODES, type Mode } from '../../../../shared/direction.ts';
import type { FocusTotals } from '../../../../shared/focus/focus.ts';
import type { FaceObservation } from '../../../../shared/observation.ts';
import type { Limits } from '../../../../shared/protocol/control.ts';
import type { ClientMessage } from '../../../../shared/protocol/frames.ts';

export const LIMITS: Limits = { maxFps: 10, credit: 2, imageSizePx: 192, maxFrameBytes: 65_536 };
export const SESSION_ID = '11111111-1111-4111-8111-111111111111';
export const T0 = 1_700_000_000_000;

type EffectOf<T extends ConnectionEffect['type']> = Extract<ConnectionEffect, { type: T }>;

export function newAccount(): SessionAccount {
  return openAccount({ sessionId: SESSION_ID, userId: 7, moduleId: 22, rule: 'geometric' });
}

/** Drives one connection with a clock of its own and keeps every effect. */
export class Driver {
  nowMs = T0;
  state: ConnectionState = openConnection(T0);
  readonly effects: ConnectionEffect[] = [];
  readonly windowMs: number;
  /** What load allows now. */
  limits = LIMITS;
  allowedModes: readonly Mode[] = MODES;
  lateMaxMs = 10_080 * 60_000;
  dayEndsMs: readonly number[] = [];
  /** What this gateway has beyond the first v1. */
  features: readonly string[] = [];
  #seq = 0;

  constructor(windowMs = 30_000) {
    this.windowMs = windowMs;
  }

  dispatch(event: ConnectionEvent): readonly ConnectionEffect[] {
    const step = reduceConnection(this.state, event, {
      nowMs: this.nowMs,
      limits: this.limits,
      maxFps: LIMITS.maxFps,
      windowMs: this.windowMs,
      allowedModes: this.allowedModes,
      lateMaxMs: this.lateMaxMs,
      dayEndsMs: this.dayEndsMs,
      features: this.features,
    });
    this.state = step.state;
    this.effects.push(...step.effects);
    return step.effects;
  }

  all<T extends ConnectionEffect['type']>(type: T): EffectOf<T>[] {
    return this.effects.filter((effect): effect is EffectOf<T> => effect.type === type);
  }

  last<T extends ConnectionEffect['type']>(type: T): EffectOf<T> {
    const found = this.all(type).at(-1);
    if (found === undefined) throw new Error(`no ${type} among the effects`);
    return found;
  }

  hello(features?: string[]): void {
    const ids = { ticket: 't', resume: null, client: 'test', device: null };
    const message = { type: 'hello', protocol: 'gaze-relay.v1', ...ids } as const;
    this.dispatch({ type: 'control', message: features === undefined ? message : { ...message, features } });
  }

  admit(account: SessionAccount = newAccount(), resumed = false): void {
    if (this.state.phase === 'awaiting_hello') this.hello();
    this.dispatch({ type: 'admitted', account, resumed, resumeToken: 'r', lateToken: 'l' });
  }

  start(atMs = 0, sectionId: number | null = null, mode: Mode = 'server'): void {
    this.dispatch({
      type: 'control',
      message: { type: 'start', camera: { widthPx: 640, heightPx: 480 }, sectionId, mode, atMs },
    });
  }

  /** A client that is admitted and capturing. */
  static tracking(windowMs?: number, mode: Mode = 'server'): Driver {
    const driver = new Driver(windowMs);
    driver.admit();
    driver.start(0, null, mode);
    return driver;
  }

  /** Sends a frame captured at `captureMs`; the gateway's clock follows it. */
  frame(
    captureMs: number,
    shows: string = String(this.#seq),
    changes: Partial<Extract<ClientMessage, { kind: 'frame' }>> = {},
  ): void {
    this.nowMs = Math.max(this.nowMs, T0 + captureMs);
    const message: ClientMessage = {
      kind: 'frame',
      seq: this.#seq++,
      captureMs,
      late: false,
      codec: 'jpeg',
      crop: { xPx: 0, yPx: 0, widthPx: 640, heightPx: 480 },
      fullFrame: true,
      image: Uint8Array.of(1, 2, 3),
      ...changes,
    };
    this.dispatch({ type: 'message', message, bytes: 16 + message.image.length, digest: crc32(shows) });
  }

  same(captureMs: number): void {
    this.nowMs = Math.max(this.nowMs, T0 + captureMs);
    this.dispatch({
      type: 'message',
      message: { kind: 'same', seq: this.#seq++, captureMs, late: false },
      bytes: 16,
      digest: null,
    });
  }

  /** Sends an observation captured at `captureMs`; a late one does not move the gateway's clock. */
  observation(captureMs: number, observation: FaceObservation, late = false): void {
    if (!late) this.nowMs = Math.max(this.nowMs, T0 + captureMs);
    const message: ClientMessage = { kind: 'observation', seq: this.#seq++, captureMs, late, observation };
    this.dispatch({ type: 'message', message, bytes: 56, digest: crc32(JSON.stringify(observation)) });
  }

  /** Inference answers the frame that was sent to it last. */
  answer(observation: FaceObservation = faceAtScreen()): void {
    this.dispatch({ type: 'observed', frame: this.last('infer').frame, observation });
  }

  /** A frame every `everyMs` from `fromMs` to `toMs`, each answered at once. */
  watch(fromMs: number, toMs: number, everyMs = 200, observation: FaceObservation = faceAtScreen()): void {
    for (let atMs = fromMs; atMs <= toMs; atMs += everyMs) {
      this.frame(atMs);
      this.answer(observation);
    }
  }

  windowTotals(): Pick<FocusTotals, 'focusedMs' | 'unfocusedMs' | 'unknownMs' | 'untrackedMs'> {
    const totals = { focusedMs: 0, unfocusedMs: 0, unknownMs: 0, untrackedMs: 0 };
    for (const { window } of this.all('save')) {
      totals.focusedMs += window.focusedMs;
      totals.unfocusedMs += window.unfocusedMs;
      totals.unknownMs += window.unknownMs;
      totals.untrackedMs += window.untrackedMs;
    }
    return totals;
  }
}

export function sumOf(totals: {
  focusedMs: number;
  unfocusedMs: number;
  unknownMs: number;
  untrackedMs: number;
}): number {
  return totals.focusedMs + totals.unfocusedMs + totals.unknownMs + totals.untrackedMs;
}
