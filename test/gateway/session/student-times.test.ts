import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { mintTicket } from '../../../gateway/auth/ticket.ts';
import type { ConnectionClock } from '../../../gateway/lib/steady-clock.ts';
import { steadyClocks } from '../../../gateway/lib/steady-clock.ts';
import type { ConnectionEvent } from '../../../gateway/session/connection/state.ts';
import type { AdmittedStream, Sessions } from '../../../gateway/session/sessions.ts';
import type { Admission } from '../../../gateway/session/stream.ts';
import { HELLO_LIMITS, MAX_SPANS, StudentTimes } from '../../../gateway/session/student-times.ts';
import type { SessionTotals } from '../../../gateway/store/session-totals.ts';
import { faceAtScreen } from '../../../harness/observations.ts';
import { EMPTY_TOTALS } from '../../../shared/focus/account.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { Driver, newAccount, sumOf, T0 } from './connection/driver.ts';
import { SECRET, sessionsWith } from './sessions-with.ts';

/** What a store has of a session. */
function storedOf(windows: readonly MetricsWindow[]): SessionTotals | null {
  const [first] = windows;
  if (first === undefined) return null;
  const totalOf = (key: 'focusedMs' | 'unfocusedMs' | 'unknownMs' | 'untrackedMs') =>
    windows.reduce((total, window) => total + window[key], 0);
  return {
    startedAtMs: first.sessionStartedAtMs,
    endedAtMs: Math.max(...windows.map(({ endedAtMs }) => endedAtMs)),
    totals: {
      ...EMPTY_TOTALS,
      focusedMs: totalOf('focusedMs'),
      unfocusedMs: totalOf('unfocusedMs'),
      unknownMs: totalOf('unknownMs'),
      untrackedMs: totalOf('untrackedMs'),
    },
  };
}

/** One student, the sessions of a gateway, and the machine's two clocks. */
class School {
  /** What the system clock says, less what has passed. */
  systemOffsetMs = T0;
  passedMs = 0;
  readonly windows: MetricsWindow[] = [];
  readonly #openClock = steadyClocks(
    () => this.systemOffsetMs + this.passedMs,
    () => this.passedMs,
  );
  #sessions = this.#startGateway();

  #startGateway(): Sessions {
    const of = (sessionId: string) => this.windows.filter((window) => window.sessionId === sessionId);
    return sessionsWith({
      systemNow: () => this.systemOffsetMs + this.passedMs,
      save: async (window) => void this.windows.push(window),
      findTotals: async (sessionId) => storedOf(of(sessionId)),
      findBooked: async ({ sessionId, afterMs }) =>
        this.windows
          .filter((window) => window.sessionId !== sessionId && window.endedAtMs > afterMs)
          .map((window) => ({ ...window, fromMs: window.startedAtMs, untilMs: window.endedAtMs })),
    });
  }

  /** The gateway is started again: what is stored is all that it knows. */
  restart(): void {
    this.#sessions.forget();
    this.#sessions = this.#startGateway();
  }

  async connect(resume: string | null = null): Promise<StudentConnection> {
    const stream = new StudentConnection(this, this.#sessions, this.#openClock());
    const now = new Date(this.systemOffsetMs + this.passedMs);
    const ticket = mintTicket({ userId: 7, moduleId: 22, role: 'student' }, SECRET, now, randomUUID());
    const ids = { type: 'hello', protocol: 'gaze-relay.v1', client: 'test', device: null } as const;
    await this.#sessions.admit({ ...ids, ticket, resume }, stream);
    stream.start();
    return stream;
  }

  end(): void {
    this.#sessions.forget();
  }

  get bookedMs(): number {
    return this.windows.reduce((sum, window) => sum + sumOf(window), 0);
  }

  /** Pairs of windows of two sessions that cover the same moment. */
  overlaps(): number {
    return this.windows.filter((one) =>
      this.windows.some(
        (other) =>
          other.sessionId !== one.sessionId && other.startedAtMs < one.endedAtMs && one.startedAtMs < other.endedAtMs,
      ),
    ).length;
  }
}

/** A connection in device mode through the real reducer. */
class StudentConnection implements AdmittedStream {
  readonly live = null;
  readonly clock: ConnectionClock;
  readonly #driver = new Driver();
  readonly #school: School;
  readonly #sessions: Sessions;
  /** What the camera shows: the same at the same moment of two sessions is a replay. */
  face = 0;
  #resume = '';

  constructor(school: School, sessions: Sessions, clock: ConnectionClock) {
    this.#school = school;
    this.#sessions = sessions;
    this.clock = clock;
    this.#driver.nowMs = clock.now();
    this.#driver.state = { phase: 'awaiting_hello', openedAtMs: clock.now() };
  }

  get isAuthenticating(): boolean {
    return this.#driver.state.phase === 'awaiting_hello';
  }

  get resume(): string {
    return this.#resume;
  }

  get sessionId(): string {
    return 'account' in this.#driver.state ? this.#driver.state.account.sessionId : '';
  }

  welcome(admission: Admission): void {
    this.#driver.admit(admission.account, admission.resumed);
    this.#resume = admission.resumeToken;
  }

  start(atMs = 0): void {
    this.#driver.start(atMs, null, 'device');
  }

  dispatch(event: ConnectionEvent): void {
    this.#driver.nowMs = this.clock.now();
    for (const effect of this.#driver.dispatch(event)) {
      if (effect.type === 'save') this.#school.windows.push(effect.window);
      if (effect.type === 'detach') this.#sessions.detach(effect.account, this);
    }
  }

  /** Observations of a face at the screen, every 200 ms of the capture clock, all at this moment. */
  watch(fromMs: number, toMs: number, late = true): void {
    for (let captureMs = fromMs; captureMs <= toMs; captureMs += 200) {
      const message = { kind: 'observation', seq: 0, captureMs, late, observation: faceAtScreen() } as const;
      this.dispatch({ type: 'message', message, bytes: 56, digest: this.face + captureMs });
    }
  }

  /** The same in real time. */
  live1(fromMs: number, toMs: number): void {
    for (let captureMs = fromMs; captureMs <= toMs; captureMs += 200) {
      this.watch(captureMs, captureMs, false);
      this.#school.passedMs += 200;
    }
  }

  close(): void {
    this.dispatch({ type: 'closed' });
  }
}

describe('S-9 the time of one student', () => {
  it('many sessions, each two seconds ahead of real time, book no more than has passed', async () => {
    const school = new School();
    for (let index = 0; index < 25; index += 1) {
      const stream = await school.connect();
      stream.watch(0, 2000);
      stream.close();
      school.passedMs += 60;
    }
    expect(school.bookedMs).toBeGreaterThan(0);
    expect(school.bookedMs).toBeLessThanOrEqual(school.passedMs + 2000);
    expect(school.overlaps()).toBe(0);
    school.end();
  });

  it.each(['continues', 'is started again'])(
    'late messages of one session fill no moment that another has, where the gateway %s',
    async (then) => {
      const school = new School();
      const first = await school.connect();
      first.live1(0, 10_000);
      first.close();
      const second = await school.connect();
      second.live1(0, 10_000);
      second.close();
      if (then === 'is started again') school.restart();
      const again = await school.connect(first.resume);
      again.watch(10_200, 20_000);
      again.watch(20_200, 20_400);
      school.passedMs += 1000;
      again.live1(20_600, 22_000);
      again.close();
      expect(school.overlaps()).toBe(0);
      expect(school.bookedMs).toBeLessThanOrEqual(school.passedMs);
      // What each had for itself is there: 10 s, 10 s, and the end of the first.
      expect(school.bookedMs).toBeGreaterThan(21_000);
      school.end();
    },
  );

  it('an outage between two sessions is filled by the one that had it', async () => {
    const school = new School();
    const first = await school.connect();
    first.live1(0, 2000);
    first.close();
    school.passedMs += 10_000;
    const second = await school.connect();
    second.live1(0, 2000);
    second.close();
    const again = await school.connect(first.resume);
    again.watch(2200, 12_000);
    again.close();
    expect(school.overlaps()).toBe(0);
    const own = school.windows.filter(({ sessionId }) => sessionId !== second.sessionId);
    expect(own.reduce((sum, { focusedMs }) => sum + focusedMs, 0)).toBeGreaterThan(11_000);
    school.end();
  });

  it('of more spans than are kept apart the first become one, and the others stay as they are', () => {
    const times = new StudentTimes();
    times.hello(7, 0);
    const spans = Array.from({ length: MAX_SPANS + 9 }, (_, index) => ({
      sessionId: `session ${index}`,
      fromMs: index * 1000,
      untilMs: index * 1000 + 400,
    }));
    times.adopt(7, spans, 0);
    const taken = times.takenFrom({ ...newAccount(), userId: 7, clockOffsetMs: 0 }, 0);
    expect(taken).toHaveLength(MAX_SPANS);
    expect(taken[0]).toMatchObject({ fromMs: 0, untilMs: 9400 });
    expect(taken.slice(1)).toEqual(spans.slice(10));
  });

  it('S-10 what an earlier session of the student had is noticed when it comes again; new observations are not', async () => {
    const school = new School();
    const ids: string[] = [];
    for (const face of [0, 0, 1_000_000]) {
      const stream = await school.connect();
      stream.face = face;
      stream.live1(0, 120_000);
      ids.push(stream.sessionId);
      stream.close();
    }
    const suspects = ids.map((id) => school.windows.filter(({ sessionId }) => sessionId === id).at(-1)?.suspect);
    expect(suspects).toEqual([null, 'replayed', null]);
    school.end();
  });

  it('connections have a rate of their own for each student', async () => {
    const school = new School();
    for (let index = 0; index < HELLO_LIMITS.burst; index += 1) (await school.connect()).close();
    await expect(school.connect()).rejects.toMatchObject({ fault: 'rate_exceeded' });
    school.passedMs += 2000;
    (await school.connect()).close();
    school.end();
  });
});

describe('a system clock that is corrected', () => {
  it.each([3_600_000, -3_600_000])('by %d ms is followed with the next connection, and never booked', async (byMs) => {
    const school = new School();
    const first = await school.connect();
    first.live1(0, 4000);
    school.systemOffsetMs += byMs;
    first.live1(4200, 8000);
    first.close();
    const again = await school.connect(first.resume);
    again.live1(8200, 12_000);
    again.close();
    const fresh = await school.connect();
    fresh.live1(0, 2000);
    fresh.close();
    expect(school.bookedMs).toBeLessThanOrEqual(school.passedMs);
    expect(school.bookedMs).toBeGreaterThan(school.passedMs - 3000);
    const [last] = school.windows.slice(-1);
    expect(Math.abs((last?.endedAtMs ?? 0) - (school.systemOffsetMs + school.passedMs))).toBeLessThan(1000);
    school.end();
  });
});
