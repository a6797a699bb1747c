import type { Rule } from '../../shared/direction.ts';
import { describeError } from '../../shared/errors.ts';
import type { FocusTotals } from '../../shared/focus/focus.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Hello } from '../../shared/protocol/control.ts';
import { ProtocolError } from '../../shared/protocol/errors.ts';
import { type ResumeClaims, signResumeToken, verifyResumeToken } from '../auth/resume-token.ts';
import { type Identity, verifyTicket } from '../auth/ticket.ts';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/timeout.ts';
import type { CalibrationRecord } from '../store/calibrations.ts';
import type { SessionReport } from '../store/port.ts';
import { continueUnseen, cutWindow, nextEpoch, openAccount, rebuildAccount, type SessionAccount } from './account.ts';
import { onDevice } from './account-calibration.ts';
import type { LiveSession } from './live.ts';
import type { Admission, Stream } from './stream.ts';

/** How long a resuming student waits for the store: well below the deadline for hello. */
const RESUME_LOOKUP_MS = 3000;
const CONSENT_LOOKUP_MS = 1000;
const CALIBRATION_LOOKUP_MS = 1000;

export interface SessionsOptions {
  readonly secret: string;
  readonly rule: Rule;
  readonly resumeGraceMs: number;
  readonly maxSessions: number;
  readonly now: () => number;
  readonly newSessionId: () => string;
  readonly logger: Logger;
  readonly save: (window: MetricsWindow) => Promise<void>;
  /** Whether the student has agreed to the camera; null where the school's database does not say. */
  readonly hasConsent: (userId: number) => Promise<boolean | null>;
  /** What is stored of a session, everything delivered; null if nothing is. */
  readonly findReport: (sessionId: string) => Promise<SessionReport | null>;
  /** The calibration to use for a student on a device; null if there is none. */
  readonly findCalibration: (userId: number, deviceId: string) => Promise<CalibrationRecord | null>;
}

interface Detached {
  readonly account: SessionAccount;
  readonly timer: NodeJS.Timeout;
}

/**
 * Who is tracked here: one live stream per user (a second one supersedes the first), and sessions
 * whose connection is gone but may come back.
 */
export class Sessions {
  readonly #use: SessionsOptions;
  readonly #live = new Map<number, Stream>();
  readonly #detached = new Map<string, Detached>();

  constructor(options: SessionsOptions) {
    this.#use = options;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** Who is connected now, in the order in which they came. */
  listLive(): LiveSession[] {
    return [...this.#live.values()].flatMap(({ live }) => (live === null ? [] : [live]));
  }

  get detachedCount(): number {
    return this.#detached.size;
  }

  /** Checks a hello and yields the account to work on. Rejects with ProtocolError. */
  async admit(hello: Hello, stream: Stream): Promise<Admission> {
    const { secret, now, maxSessions, logger } = this.#use;
    const identity = await verifyTicket(hello.ticket, secret, new Date(now()));
    if (this.#live.size >= maxSessions && !this.#live.has(identity.userId)) {
      throw new ProtocolError(
        'too_many_sessions',
        `this gateway serves ${maxSessions} sessions and is full; try again soon`,
      );
    }
    const calibration = this.#calibrationInTime(identity, hello.device);
    await this.#assertConsent(identity);
    const found = await calibration;
    const claims = await this.#claimsOf(hello, identity);
    const stored = claims === null ? null : await this.#storedAccount(claims);
    // From here to the entry in the map nothing awaits: two tabs at once cannot both stay.
    this.#live.get(identity.userId)?.dispatch({ type: 'superseded' });
    const known = claims === null ? null : this.#take(claims.sessionId);
    const resumable = known ?? stored;
    const placed =
      claims === null || resumable === null
        ? openAccount({ sessionId: this.#use.newSessionId(), rule: this.#use.rule, ...idsOf(identity) })
        : nextEpoch(resumable, claims.epoch, now());
    const account = onDevice(placed, hello.device, found);
    this.#live.set(identity.userId, stream);
    const resumed = resumable !== null;
    logger.info(
      { sessionId: account.sessionId, epoch: account.epoch, client: hello.client },
      resumed ? 'session resumed' : 'session opened',
    );
    const resumeToken = await signResumeToken(
      {
        sessionId: account.sessionId,
        userId: account.userId,
        moduleId: account.moduleId,
        epoch: account.epoch,
        startedAtMs: account.startedAtMs ?? Math.round(now()),
      },
      secret,
      new Date(now()),
    );
    return { account, resumed, resumeToken };
  }

  /** A stream is over; its session waits for a while. */
  detach(account: SessionAccount, stream: Stream): void {
    if (this.#live.get(account.userId) === stream) this.#live.delete(account.userId);
    if (account.startedAtMs === null) return;
    this.#use.logger.info({ sessionId: account.sessionId, epoch: account.epoch }, 'session detached');
    const timer = setTimeout(() => this.#giveUp(account), this.#use.resumeGraceMs);
    this.#detached.set(account.sessionId, { account, timer });
  }

  /**
   * Before a student's data is deleted: sessions of theirs that wait for the connection to come back are given up, and
   * what they have not saved yet with them. False, with nothing given up, while the student is connected.
   */
  forgetStudent(userId: number): boolean {
    if (this.#live.has(userId)) return false;
    for (const [sessionId, { account, timer }] of this.#detached) {
      if (account.userId !== userId) continue;
      clearTimeout(timer);
      this.#detached.delete(sessionId);
    }
    return true;
  }

  /** Stops waiting for sessions to come back, at shutdown: another replica may resume them. */
  forget(): void {
    for (const { timer } of this.#detached.values()) clearTimeout(timer);
    this.#detached.clear();
  }

  #take(sessionId: string): SessionAccount | null {
    const detached = this.#detached.get(sessionId);
    if (detached === undefined) return null;
    clearTimeout(detached.timer);
    this.#detached.delete(sessionId);
    return detached.account;
  }

  #giveUp(account: SessionAccount): void {
    this.#detached.delete(account.sessionId);
    this.#use.logger.info({ sessionId: account.sessionId }, 'session ended');
    if (account.stoppedAtMs !== null) return;
    const { window } = cutWindow(account, true);
    if (window !== null) void this.#use.save(window);
  }

  async #claimsOf(hello: Hello, identity: Identity): Promise<ResumeClaims | null> {
    if (hello.resume === null) return null;
    const claims = await verifyResumeToken(hello.resume, this.#use.secret, new Date(this.#use.now()));
    const own = claims?.userId === identity.userId && claims.moduleId === identity.moduleId;
    return own ? claims : null;
  }

  async #storedAccount(claims: ResumeClaims): Promise<SessionAccount | null> {
    const here = this.#detached.has(claims.sessionId) || this.#live.has(claims.userId);
    if (here) return null;
    const report = await this.#reportInTime(claims);
    if (report === 'unseen') {
      const { sessionId, userId, moduleId, startedAtMs } = claims;
      const { rule, now } = this.#use;
      return continueUnseen({ sessionId, userId, moduleId, rule, startedAtMs, nowMs: now() });
    }
    if (report === null) return null;
    return rebuildAccount({
      sessionId: claims.sessionId,
      userId: claims.userId,
      moduleId: claims.moduleId,
      rule: this.#use.rule,
      startedAtMs: report.startedAtMs,
      endedAtMs: report.endedAtMs,
      base: totalsOfReport(report),
    });
  }

  /** The school minted the ticket, so a database that does not answer keeps nobody out. */
  async #assertConsent({ userId }: Identity): Promise<void> {
    const answer = this.#use.hasConsent(userId).catch(() => null);
    if ((await within(answer, CONSENT_LOOKUP_MS, null)) !== false) return;
    throw new ProtocolError(
      'consent_missing',
      'the student has not agreed to the camera; EyeLearn asks for that first',
    );
  }

  /** A student need not wait for a database that is out of reach or slow. */
  async #reportInTime(claims: ResumeClaims): Promise<SessionReport | null | 'unseen'> {
    const found = this.#use.findReport(claims.sessionId).catch((error: unknown) => {
      this.#use.logger.warn(
        { sessionId: claims.sessionId, reason: describeError(error) },
        'a session goes on though the store cannot say what it has of it',
      );
      return 'unseen' as const;
    });
    return within(found, RESUME_LOOKUP_MS, 'unseen' as const);
  }

  /** A student need not wait for a database either: without an answer in time a session goes on with what it has. */
  #calibrationInTime({ userId }: Identity, deviceId: string | null): Promise<CalibrationRecord | null | 'unknown'> {
    if (deviceId === null || this.#use.rule === 'seed') return Promise.resolve(null);
    const found = this.#use.findCalibration(userId, deviceId).catch((error: unknown) => {
      this.#use.logger.warn({ reason: describeError(error) }, 'nobody can say how this student is calibrated');
      return 'unknown' as const;
    });
    return within(found, CALIBRATION_LOOKUP_MS, 'unknown' as const);
  }
}

function idsOf(identity: Identity): { userId: number; moduleId: number } {
  return { userId: identity.userId, moduleId: identity.moduleId };
}

function totalsOfReport(report: SessionReport): FocusTotals {
  return {
    focusedMs: report.focusedMs,
    unfocusedMs: report.unfocusedMs,
    unknownMs: report.unknownMs,
    untrackedMs: report.untrackedMs,
    directionMs: {},
    focusBouts: report.bouts.filter((bout) => bout.kind === 'focused').length,
    unfocusBouts: report.bouts.filter((bout) => bout.kind === 'unfocused').length,
  };
}
