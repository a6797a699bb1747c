import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { mintTicket } from '../../../gateway/auth/ticket.ts';
import type { SessionAccount } from '../../../gateway/session/account.ts';
import { startCapture } from '../../../gateway/session/account.ts';
import { type AdmittedStream, Sessions, type SessionsOptions } from '../../../gateway/session/sessions.ts';
import type { Admission } from '../../../gateway/session/stream.ts';
import type { Hello } from '../../../shared/protocol/control.ts';
import { T0 } from './connection/driver.ts';

const SECRET = 'a secret for tests that is long enough';

function sessionsWith(changes: Partial<SessionsOptions> = {}): Sessions {
  const ignore = () => {};
  return new Sessions({
    secret: SECRET,
    rule: 'geometric',
    resumeGraceMs: 60_000,
    maxSessions: 10,
    now: () => T0,
    newSessionId: randomUUID,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    save: async () => {},
    hasConsent: async () => true,
    findReport: async () => null,
    findCalibration: async () => null,
    ...changes,
  });
}

/** A stream that is admitted, begins to capture at once, and gives its session back when it is superseded. */
class TestStream implements AdmittedStream {
  readonly live = null;
  readonly #sessions: Sessions;
  admission: Admission | null = null;
  isAuthenticating = true;
  isSuperseded = false;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  welcome(admission: Admission): void {
    this.isAuthenticating = false;
    this.admission = admission;
  }

  dispatch(): void {
    this.isSuperseded = true;
    this.end();
  }

  end(): void {
    this.isAuthenticating = false;
    if (this.admission !== null) this.#sessions.detach(this.#capturing(this.admission.account), this);
  }

  #capturing(account: SessionAccount): SessionAccount {
    return startCapture(account, { atMs: 0, sectionId: null, mode: 'server' }, T0);
  }
}

function hello(userId: number, resume: string | null = null): Hello {
  const ticket = mintTicket({ userId, moduleId: 22, role: 'student' }, SECRET, new Date(T0), randomUUID());
  return { type: 'hello', protocol: 'gaze-relay.v1', ticket, resume, client: 'test', device: null };
}

describe('admission', () => {
  it('S-3 of two connections that resume a session at the same time each gets all of it, the later one last', async () => {
    const sessions = sessionsWith();
    const first = new TestStream(sessions);
    await sessions.admit(hello(1), first);
    first.end();
    const resume = first.admission?.resumeToken ?? '';
    const pair = [new TestStream(sessions), new TestStream(sessions)];
    await Promise.all(pair.map((stream) => sessions.admit(hello(1, resume), stream)));
    expect(pair.map(({ admission }) => admission?.resumed)).toEqual([true, true]);
    expect(new Set([first, ...pair].map(({ admission }) => admission?.account.sessionId)).size).toBe(1);
    expect(pair.map(({ isSuperseded }) => isSuperseded)).toEqual([true, false]);
    sessions.forget();
  });

  it('S-2 a connection that ended while it was checked does not supersede the one after it', async () => {
    const waits: (() => void)[] = [];
    const sessions = sessionsWith({
      hasConsent: () => new Promise((resolve) => waits.push(() => resolve(true))),
    });
    const [lost, later] = [new TestStream(sessions), new TestStream(sessions)];
    const admitting = [sessions.admit(hello(1), lost), sessions.admit(hello(1), later)];
    await expect.poll(() => waits.length).toBe(2);
    lost.end();
    waits[1]?.();
    await admitting[1];
    waits[0]?.();
    await admitting[0];
    expect([lost.admission, later.isSuperseded, sessions.liveCount]).toEqual([null, false, 1]);
  });

  it('a burst does not pass MAX_SESSIONS', async () => {
    const waits: (() => void)[] = [];
    const hasConsent = () => new Promise<boolean>((resolve) => waits.push(() => resolve(true)));
    const sessions = sessionsWith({ maxSessions: 3, hasConsent });
    const burst = Array.from({ length: 8 }, (_, index) => sessions.admit(hello(index + 1), new TestStream(sessions)));
    const settled = Promise.allSettled(burst);
    // All of them have found room by now.
    await expect.poll(() => waits.length).toBe(8);
    for (const answer of waits) answer();
    const outcomes = await settled;
    expect(sessions.liveCount).toBe(3);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => reason.fault)).toEqual(Array(5).fill('too_many_sessions'));
  });
});
