import type { Rule } from '../../shared/direction.ts';
import { describeError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Hello } from '../../shared/protocol/control.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { type ResumeClaims, signLateToken, signResumeToken, verifyResumeToken } from '../auth/resume-token.ts';
import type { TicketSpender } from '../auth/spent-tickets.ts';
import { type Identity, verifyTicket } from '../auth/ticket.ts';
import type { Secret } from '../auth/tokens.ts';
import type { Logger } from '../lib/logger.ts';
import { KeyedMutex } from '../lib/mutex.ts';
import type { ConnectionClock } from '../lib/steady-clock.ts';
import { within } from '../lib/timeout.ts';
import type { CalibrationRecord } from '../store/calibrations.ts';
import type { SessionTotals } from '../store/session-totals.ts';
import {
  nextEpoch,
  onClock,
  openAccount,
  rebuildAccount,
  resumeWithoutReport,
  type SessionAccount,
  type TakenSpan,
} from './account.ts';
import { onDevice } from './account-calibration.ts';
import { cutWindow } from './account-windows.ts';
import { closeReasonOf } from './connection/closing.ts';
import { DetachedSessions } from './detached-sessions.ts';
import type { LiveSession } from './live.ts';
import type { Ownership, StudentState } from './ownership.ts';
import type { Stream } from './stream.ts';
import { StudentTimes } from './student-times.ts';

/** A stream as sessions see it. */
export type AdmittedStream = Pick<Stream, 'clock' | 'dispatch' | 'live' | 'isAuthenticating' | 'welcome'>;

/** A hello whose ticket, consent and claims are checked, with what was found for it. */
interface CheckedHello {
  readonly hello: Hello;
  readonly identity: Identity;
  readonly claims: ResumeClaims | null;
  readonly stored: SessionAccount | null;
  readonly calibration: CalibrationRecord | null | 'unknown';
}

/** A session as it is stored, and what other sessions of the student have of the time after it. */
interface StoredSession extends SessionTotals {
  readonly booked: readonly TakenSpan[];
}

/** How long a resuming student waits for the store: well below the deadline for hello. */
const RESUME_LOOKUP_MS = 2000;
/** The same where the other gateways do not answer: what is stored is then not all there is. */
const SHORT_LOOKUP_MS = 500;
const CONSENT_LOOKUP_MS = 1000;
const CALIBRATION_LOOKUP_MS = 1000;

export interface SessionsOptions {
  readonly secret: Secret;
  readonly ticketMaxLifeS: number;
  readonly spentTickets: TicketSpender;
  readonly ownership: Ownership;
  readonly rule: Rule;
  readonly resumeGraceMs: number;
  readonly maxSessions: number;
  /** How late observations of a device may come, ms (L-6). */
  readonly lateMaxMs: number;
  /** The system clock, UTC ms: tickets and resume tokens are checked by it. */
  readonly systemNow: () => number;
  readonly newSessionId: () => string;
  readonly logger: Logger;
  readonly save: (window: MetricsWindow) => Promise<void>;
  /** Whether the student has agreed to the camera; null where the school's database does not say. */
  readonly hasConsent: (userId: number) => Promise<boolean | null>;
  /** Times and totals of a session as it is stored, everything delivered; null if nothing is. */
  readonly findTotals: (sessionId: string) => Promise<SessionTotals | null>;
  /** Time after a moment (UTC ms) that other sessions of the student have, as it is stored. */
  readonly findBooked: (of: {
    readonly userId: number;
    readonly sessionId: string;
    readonly afterMs: number;
  }) => Promise<readonly TakenSpan[]>;
  /** The calibration to use for a student on a device; null if there is none. */
  readonly findCalibration: (userId: number, deviceId: string) => Promise<CalibrationRecord | null>;
}

/**
 * The sessions of this gateway: one live stream per user (a second one supersedes the first), and sessions
 * whose connection is gone but may be resumed.
 */
export class Sessions {
  readonly #deps: SessionsOptions;
  readonly #live = new Map<number, AdmittedStream>();
  readonly #detached: DetachedSessions;
  readonly #times = new StudentTimes();
  /** Of one student's connections and deletions, each finds what the one before has left. */
  readonly #students = new KeyedMutex<number>();

  constructor(options: SessionsOptions) {
    this.#deps = options;
    this.#detached = new DetachedSessions(options.resumeGraceMs, (account) => this.#end(account));
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** Connected students, in the order in which they came. */
  listLive(): LiveSession[] {
    return [...this.#live.values()].flatMap(({ live }) => (live === null ? [] : [live]));
  }

  get detachedCount(): number {
    return this.#detached.count;
  }

  /**
   * Checks a hello and welcomes its stream with the account to work on; `identified` is called once its ticket is found
   * valid. Rejects with ProtocolError.
   */
  async admit(hello: Hello, stream: AdmittedStream, identified: () => void = () => {}): Promise<void> {
    const { secret, ticketMaxLifeS, spentTickets, systemNow } = this.#deps;
    const identity = await verifyTicket(hello.ticket, secret, new Date(systemNow()), ticketMaxLifeS);
    // Both are asked at once: neither is quick while a database or NATS is unavailable.
    const [isFirstUse, hasConsent] = await Promise.all([
      spentTickets.spend(identity.use, systemNow()),
      this.#consentInTime(identity),
    ]);
    if (!isFirstUse) {
      throw new ProtocolError('ticket_invalid', 'the ticket was used before; fetch a fresh one for each connection');
    }
    identified();
    this.#times.hello(identity.userId, monotonicMs(stream.clock));
    this.#assertRoom(identity);
    if (!hasConsent) {
      throw new ProtocolError(
        'consent_missing',
        'the student has not agreed to the camera; the school asks for that first',
      );
    }
    const claims = await this.#claimsOf(hello, identity);
    await this.#students.run(identity.userId, async () => {
      if (!stream.isAuthenticating) return;
      const resuming = async () => {
        const handed = await this.#deps.ownership.claim(identity.userId, claims !== null);
        if (handed !== 'unknown') this.adopt(identity.userId, handed, stream.clock.offsetMs);
        return claims === null ? null : this.#storedAccount(claims, stream.clock, handed !== 'unknown');
      };
      const [calibration, stored] = await Promise.all([this.#calibrationInTime(identity, hello.device), resuming()]);
      this.#enter(stream, { hello, identity, claims, stored, calibration });
    });
  }

  /**
   * Gives the stream its session. Nothing awaits in here, so that of two connections of a student the later one finds what
   * the earlier one has, whole.
   */
  #enter(stream: AdmittedStream, { hello, identity, claims, stored, calibration }: CheckedHello): void {
    const { secret, rule, systemNow, newSessionId, logger } = this.#deps;
    const { clock } = stream;
    const nowMs = clock.now();
    // A connection that ended meanwhile must not supersede the one that came after it.
    if (!stream.isAuthenticating) return;
    // Others may have come in while this one was checked, here and at other gateways.
    this.#assertRoom(identity);
    if (!this.#deps.ownership.holds(identity.userId)) throw closeReasonOf('superseded');
    this.#live.get(identity.userId)?.dispatch({ type: 'superseded' });
    const known = claims === null ? null : this.#detached.take(identity.userId, claims.sessionId);
    const resumable = known ?? stored;
    const { userId, moduleId } = identity;
    const placed =
      claims === null || resumable === null
        ? openAccount({ sessionId: newSessionId(), rule, userId, moduleId })
        : nextEpoch(resumable, claims.epoch, nowMs);
    const own = onClock(onDevice(placed, hello.device, calibration), clock.offsetMs);
    const countedUntilMs = own.clockZeroMs === null ? nowMs : own.clockZeroMs + own.lastCaptureMs;
    const suspicion = { ...own.suspicion, earlier: this.#times.samplesBeside(own) };
    const taken = this.#times.takenFrom(own, countedUntilMs);
    const account = { ...own, suspicion, taken, lateOnly: resumable !== null && claims?.lateOnly === true };
    const { sessionId, epoch } = account;
    const startedAtMs = account.startedAtMs ?? Math.round(nowMs);
    const session = { sessionId, userId, moduleId, epoch, startedAtMs };
    const now = new Date(systemNow());
    const resumeToken = signResumeToken(session, secret, now);
    const lateToken = signLateToken(session, secret, now, this.#deps.lateMaxMs);
    const resumed = resumable !== null;
    this.#live.set(userId, stream);
    logger.info({ sessionId, epoch, client: hello.client }, resumed ? 'session resumed' : 'session opened');
    stream.welcome({ account, resumed, resumeToken, lateToken });
  }

  /** A stream is over; its session may be resumed for a while. */
  detach(account: SessionAccount, stream: AdmittedStream): void {
    if (this.#live.get(account.userId) === stream) this.#live.delete(account.userId);
    this.#times.book(account, monotonicMs(stream.clock));
    this.#deps.logger.info({ sessionId: account.sessionId, epoch: account.epoch }, 'session detached');
    this.#detached.add(account);
  }

  /**
   * Deletes a student's data with `remove`: their sessions that wait to be resumed are dropped first, with what they have not
   * saved yet, and no connection of theirs is admitted before it has ended. Resolves as `remove` does, or, with nothing
   * dropped, with `connected` while the student is.
   */
  withoutStudent<T>(userId: number, remove: () => Promise<T>): Promise<T | 'connected'> {
    return this.#students.run(userId, async () => {
      if (this.#live.has(userId)) return 'connected';
      this.#detached.forgetStudent(userId);
      this.#times.forget(userId);
      return remove();
    });
  }

  /** Students with a connection or a session that waits to be resumed. */
  students(): number[] {
    return [...new Set([...this.#live.keys(), ...this.#detached.students()])];
  }

  /** What is here of a student without a connection, with UTC `offsetMs` at 0 of the monotonic clock. */
  detachedState(userId: number, offsetMs: number): StudentState {
    const accounts = this.#detached.of(userId).map((account) => onClock(account, offsetMs));
    return { accounts, spans: this.#times.spansOf(userId, offsetMs) };
  }

  /** What is booked of a student, in UTC. */
  spansOf(userId: number, offsetMs: number): StudentState['spans'] {
    return this.#times.spansOf(userId, offsetMs);
  }

  /** True while the student has a connection here. */
  isConnected(userId: number): boolean {
    return this.#live.has(userId);
  }

  /**
   * Another gateway takes the student over: their stream is superseded, what it has counted is saved, and everything else
   * goes into the answer and is forgotten here. `offsetMs` is UTC at 0 of the monotonic clock.
   */
  handOver(userId: number, offsetMs: number): StudentState {
    this.#live.get(userId)?.dispatch({ type: 'superseded' });
    const accounts = this.#detached.takeStudent(userId).map((account) => onClock(account, offsetMs));
    const spans = this.#times.spansOf(userId, offsetMs);
    this.#times.forget(userId);
    return { accounts, spans };
  }

  /**
   * Another gateway has taken the student over without an answer from this one: what is here is no longer true, and nothing of
   * it is saved. The stream is closed as superseded, or as by a restart where its client is to connect again.
   */
  lose(userId: number, reason: 'superseded' | 'drain'): void {
    this.#live.get(userId)?.dispatch({ type: 'lost', reason });
    this.#live.delete(userId);
    this.#detached.forgetStudent(userId);
    this.#times.forget(userId);
  }

  /** At shutdown: no longer waits for sessions to be resumed here; another replica may do it. */
  forget(): void {
    this.#detached.forgetAll();
  }

  /** Takes in what another gateway had of a student. `offsetMs` is UTC at 0 of the monotonic clock. */
  adopt(userId: number, { accounts, spans }: StudentState, offsetMs: number): void {
    for (const account of accounts) {
      const { sessionId } = account;
      const isHere = this.#detached.has(userId, sessionId) || this.#live.get(userId)?.live?.sessionId === sessionId;
      if (!isHere) this.#detached.add({ ...account, clockOffsetMs: offsetMs });
    }
    this.#times.adopt(userId, spans, offsetMs);
  }

  /** Throws ProtocolError `too_many_sessions`. A student who is connected already takes no more room. */
  #assertRoom({ userId }: Identity): void {
    const { maxSessions } = this.#deps;
    if (this.#live.size < maxSessions || this.#live.has(userId)) return;
    throw new ProtocolError(
      'too_many_sessions',
      `this gateway serves ${maxSessions} sessions and is full; try again soon`,
    );
  }

  #end(account: SessionAccount): void {
    this.#deps.logger.info({ sessionId: account.sessionId }, 'session ended');
    if (account.stoppedAtMs !== null) return;
    const { window } = cutWindow(account, true);
    // The saver logs what it cannot save.
    if (window !== null) this.#deps.save(window).catch(() => undefined);
  }

  async #claimsOf(hello: Hello, identity: Identity): Promise<ResumeClaims | null> {
    if (hello.resume === null) return null;
    const claims = await verifyResumeToken(hello.resume, this.#deps.secret, new Date(this.#deps.systemNow()));
    const own = claims?.userId === identity.userId && claims.moduleId === identity.moduleId;
    return own ? claims : null;
  }

  /** The session as it is stored, where it is not here. What is not known to be complete is continued from now. */
  async #storedAccount(
    claims: ResumeClaims,
    clock: ConnectionClock,
    isComplete: boolean,
  ): Promise<SessionAccount | null> {
    const { userId, sessionId, moduleId, startedAtMs } = claims;
    const isHere = this.#detached.has(userId, sessionId) || this.#live.get(userId)?.live?.sessionId === sessionId;
    if (isHere) return null;
    const stored = await this.#storedInTime(claims, isComplete ? RESUME_LOOKUP_MS : SHORT_LOOKUP_MS);
    if (stored === null && isComplete) return null;
    // Continued from now, every late message would be too old: the client keeps them and comes again.
    if (claims.lateOnly && (stored === null || stored === 'unavailable' || !isComplete)) {
      throw new ProtocolError('internal', 'the session of these late messages cannot be read now; come again later');
    }
    // This gateway may have been started since, or have forgotten when the student was here last.
    if (stored !== null && stored !== 'unavailable') this.#times.adopt(userId, stored.booked, clock.offsetMs);
    const ids = { sessionId, userId, moduleId, rule: this.#deps.rule };
    const account =
      stored === 'unavailable' || stored === null
        ? resumeWithoutReport({ ...ids, startedAtMs, nowMs: clock.now() })
        : rebuildAccount({
            ...ids,
            startedAtMs: stored.startedAtMs,
            endedAtMs: isComplete ? stored.endedAtMs : Math.max(stored.endedAtMs, Math.round(clock.now())),
            base: stored.totals,
          });
    return { ...account, clockOffsetMs: clock.offsetMs };
  }

  /** The school minted the ticket, so a database that does not answer refuses no student. Staff are asked for none. */
  async #consentInTime({ userId, role }: Identity): Promise<boolean> {
    if (role !== 'student') return true;
    const answer = this.#deps.hasConsent(userId).catch(() => null);
    return (await within(answer, CONSENT_LOOKUP_MS, null)) !== false;
  }

  /** A student does not wait for a database that is unavailable or slow. */
  async #storedInTime(claims: ResumeClaims, withinMs: number): Promise<StoredSession | null | 'unavailable'> {
    const { sessionId, userId } = claims;
    const find = async (): Promise<StoredSession | null> => {
      const session = await this.#deps.findTotals(sessionId);
      if (session === null) return null;
      return { ...session, booked: await this.#deps.findBooked({ userId, sessionId, afterMs: session.endedAtMs }) };
    };
    const found = find().catch((error: unknown) => {
      this.#deps.logger.warn(
        { sessionId, reason: describeError(error) },
        'a session is resumed without its report: the store is unavailable',
      );
      return 'unavailable' as const;
    });
    return within(found, withinMs, 'unavailable' as const);
  }

  /** Without an answer in time a session continues with the calibration it has. */
  #calibrationInTime({ userId }: Identity, deviceId: string | null): Promise<CalibrationRecord | null | 'unknown'> {
    if (deviceId === null || this.#deps.rule === 'seed') return Promise.resolve(null);
    const found = this.#deps.findCalibration(userId, deviceId).catch((error: unknown) => {
      this.#deps.logger.warn({ reason: describeError(error) }, 'the calibration could not be determined');
      return 'unknown' as const;
    });
    return within(found, CALIBRATION_LOOKUP_MS, 'unknown' as const);
  }
}

/** The monotonic clock now, ms. */
function monotonicMs({ now, offsetMs }: ConnectionClock): number {
  return now() - offsetMs;
}
