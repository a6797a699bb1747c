import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signResumeToken } from '../../../gateway/auth/resume-token.ts';
import { mintTicket, type Role } from '../../../gateway/auth/ticket.ts';
import type { SessionAccount } from '../../../gateway/session/account.ts';
import { startCapture } from '../../../gateway/session/account.ts';
import { MAX_DETACHED_PER_STUDENT } from '../../../gateway/session/detached-sessions.ts';
import { ALONE } from '../../../gateway/session/ownership.ts';
import type { AdmittedStream, Sessions } from '../../../gateway/session/sessions.ts';
import type { Admission } from '../../../gateway/session/stream.ts';
import { EMPTY_TOTALS } from '../../../shared/focus/account.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import type { Hello } from '../../../shared/protocol/control.ts';
import type { ProtocolError } from '../../../shared/protocol/errors.ts';
import { T0 } from './connection/driver.ts';
import { SECRET, sessionsWith } from './sessions-with.ts';

/** A stream that is admitted, begins to capture at once, and gives its session back when it is superseded. */
class TestStream implements AdmittedStream {
  readonly live = null;
  readonly clock = { now: () => T0, offsetMs: 0 };
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

function hello(userId: number, resume: string | null = null, role: Role = 'student'): Hello {
  const ticket = mintTicket({ userId, moduleId: 22, role }, SECRET, new Date(T0), randomUUID());
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
    // Tickets are verified in parallel, so either may be the earlier one.
    const inOrder = pair.toSorted((a, b) => (a.admission?.account.epoch ?? 0) - (b.admission?.account.epoch ?? 0));
    expect(inOrder.map(({ isSuperseded }) => isSuperseded)).toEqual([true, false]);
    sessions.forget();
  });

  it('S-2 a connection that ended while it was checked does not supersede the one after it', async () => {
    const waits: (() => void)[] = [];
    const sessions = sessionsWith({
      hasConsent: () => new Promise((resolve) => waits.push(() => resolve(true))),
    });
    const [lost, later] = [new TestStream(sessions), new TestStream(sessions)];
    const admittingLost = sessions.admit(hello(1), lost);
    await expect.poll(() => waits.length).toBe(1);
    const admittingLater = sessions.admit(hello(1), later);
    await expect.poll(() => waits.length).toBe(2);
    lost.end();
    waits[1]?.();
    await admittingLater;
    waits[0]?.();
    await admittingLost;
    expect([lost.admission, later.isSuperseded, sessions.liveCount]).toEqual([null, false, 1]);
  });

  it('S-3 a session that is stored alone is resumed also while the student is connected with another', async () => {
    const first = randomUUID();
    const stored = { startedAtMs: T0 - 60_000, endedAtMs: T0 - 30_000, totals: { ...EMPTY_TOTALS, focusedMs: 20_000 } };
    const sessions = sessionsWith({
      findTotals: async (id) => (id === first ? stored : null),
    });
    const token = { sessionId: first, userId: 1, moduleId: 22, epoch: 3, startedAtMs: T0 - 60_000 };
    await sessions.admit(hello(1), new TestStream(sessions));
    const resuming = new TestStream(sessions);
    await sessions.admit(hello(1, signResumeToken(token, SECRET, new Date(T0))), resuming);
    expect(resuming.admission).toMatchObject({ resumed: true, account: { sessionId: first } });
    sessions.forget();
  });

  it('S-3 a session whose connection was lost before its first start is resumed too, with its clock at 0', async () => {
    const sessions = sessionsWith();
    const first = new TestStream(sessions);
    await sessions.admit(hello(1), first);
    if (first.admission === null) throw new Error('not admitted');
    sessions.detach(first.admission.account, first);
    const second = new TestStream(sessions);
    await sessions.admit(hello(1, first.admission.resumeToken), second);
    const { sessionId } = first.admission.account;
    expect(second.admission).toMatchObject({ resumed: true, account: { sessionId, startedAtMs: null, epoch: 1 } });
    sessions.forget();
  });

  it('S-1 a ticket is good for one connection', async () => {
    const sessions = sessionsWith();
    const once = hello(1);
    await sessions.admit(once, new TestStream(sessions));
    await expect(sessions.admit(once, new TestStream(sessions))).rejects.toMatchObject({ fault: 'ticket_invalid' });
    sessions.forget();
  });

  it('of one student only so many sessions wait to be resumed; what made place is saved', async () => {
    const saved: MetricsWindow[] = [];
    const sessions = sessionsWith({ save: async (window) => void saved.push(window) });
    for (let index = 0; index < MAX_DETACHED_PER_STUDENT + 20; index += 1) {
      const stream = new TestStream(sessions);
      await sessions.admit(hello(1), stream);
      stream.end();
    }
    expect([sessions.detachedCount, saved.filter(({ final }) => final).length]).toEqual([MAX_DETACHED_PER_STUDENT, 20]);
    sessions.forget();
  });

  it.each([
    ['student', 'consent_missing'],
    ['teacher', null],
    ['admin', null],
  ] as const)('the camera agreement is asked of students alone: %s', async (role, fault) => {
    const sessions = sessionsWith({ hasConsent: async () => false });
    const stream = new TestStream(sessions);
    const refused = await sessions.admit(hello(1, null, role), stream).then(
      () => null,
      (error: ProtocolError) => error.fault,
    );
    expect([refused, stream.admission === null]).toEqual([fault, fault !== null]);
  });

  it('a student who comes back during a deletion finds nothing of before; one who is there first stays', async () => {
    const stored = new Set(['rows']);
    const sessions = sessionsWith({
      findTotals: async () => (stored.size === 0 ? null : { startedAtMs: T0, endedAtMs: T0, totals: EMPTY_TOTALS }),
    });
    const first = new TestStream(sessions);
    await sessions.admit(hello(1), first);
    first.end();
    let finish = () => {};
    const deleting = sessions.withoutStudent(1, async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      stored.clear();
    });
    const back = new TestStream(sessions);
    const resuming = sessions.admit(hello(1, first.admission?.resumeToken ?? ''), back);
    await expect.poll(() => finish !== null && back.admission === null).toBe(true);
    // Everything but the deletion has had its turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(back.admission).toBeNull();
    finish();
    await Promise.all([deleting, resuming]);
    expect(back.admission).toMatchObject({ resumed: false });
    expect(await sessions.withoutStudent(1, async () => 'deleted')).toBe('connected');
    sessions.forget();
  });

  it('S-2 S-3 a student who moves to another gateway brings the session there as it is, and booked time with it', async () => {
    const here = sessionsWith();
    const there = sessionsWith({ ownership: { claim: async (userId) => here.handOver(userId, 0), holds: () => true } });
    const first = new TestStream(here);
    await here.admit(hello(1), first);
    const second = new TestStream(there);
    await there.admit(hello(1, first.admission?.resumeToken ?? ''), second);
    const [before, after] = [first.admission?.account, second.admission?.account];
    expect([first.isSuperseded, here.students(), there.students()]).toEqual([true, [], [1]]);
    expect(second.admission?.resumed).toBe(true);
    expect(after).toMatchObject({ sessionId: before?.sessionId, tracker: before?.tracker, startedAtMs: T0 });
    expect(after?.epoch).toBeGreaterThan(before?.epoch ?? 0);
  });

  it('S-2 a connection whose student another gateway took over while it was checked is superseded', async () => {
    const sessions = sessionsWith({ ownership: { ...ALONE, holds: () => false } });
    await expect(sessions.admit(hello(1), new TestStream(sessions))).rejects.toMatchObject({ fault: 'superseded' });
    expect(sessions.students()).toEqual([]);
  });

  it('a session of which not all can be found out is continued from now: time that may be counted elsewhere is left alone', async () => {
    const sessionId = randomUUID();
    const stored = { startedAtMs: T0 - 60_000, endedAtMs: T0 - 30_000, totals: { ...EMPTY_TOTALS, focusedMs: 30_000 } };
    const sessions = sessionsWith({
      ownership: { claim: async () => 'unknown', holds: () => true },
      findTotals: async () => stored,
    });
    const token = { sessionId, userId: 1, moduleId: 22, epoch: 3, startedAtMs: T0 - 60_000 };
    const stream = new TestStream(sessions);
    await sessions.admit(hello(1, signResumeToken(token, SECRET, new Date(T0))), stream);
    expect(stream.admission?.account).toMatchObject({ lastCaptureMs: 60_000, pausedMs: 60_000 });
    expect(stream.admission?.account.base.focusedMs).toBe(30_000);
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
