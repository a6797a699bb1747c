import { describe, expect, it } from 'vitest';
import type { OwnerEntry } from '../../../gateway/cluster/owners.ts';
import { ClusterOwnership, type HandOverQuestion } from '../../../gateway/cluster/ownership.ts';
import type { Answer, Question } from '../../../gateway/cluster/peers.ts';
import { openAccount } from '../../../gateway/session/account.ts';
import type { StudentState } from '../../../gateway/session/ownership.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';

const USER_ID = 7;
const WINDOW = { userId: USER_ID, sessionId: 'exact' } as MetricsWindow;
const ignore = () => {};
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function stateOf(sessionId: string): StudentState {
  return { accounts: [openAccount({ sessionId, rule: 'geometric', userId: USER_ID, moduleId: 22 })], spans: [] };
}

/** Gateways that share the bucket of owners and ask each other without NATS, so that a test decides what is late. */
class Gateways {
  readonly #entries = new Map<number, OwnerEntry>();
  readonly #members = new Map<string, ClusterOwnership>();
  /** Gateways that had no turn for a while. */
  readonly lapsed = new Set<string>();
  /** Gateways whose checkpoint holds a student's state. */
  readonly checkpoints = new Map<string, StudentState>();
  /** Gateways whose answers do not come in time. */
  readonly silent = new Set<string>();
  readonly lost: string[] = [];

  add(id: string, state: StudentState): ClusterOwnership {
    const gateways = this;
    const member = new ClusterOwnership({
      peers: {
        id,
        get isLapsed() {
          return gateways.lapsed.has(id);
        },
        others: () => [],
        ask: async <T>(to: string, question: Question, body: unknown): Promise<Answer<T>> =>
          gateways.silent.has(to)
            ? { kind: 'late' }
            : { kind: 'answer', body: (await gateways.answer(to, question, body)) as T },
        askAll: async () => ({ rows: [], isComplete: true }),
      },
      owners: {
        find: async (userId) => gateways.#entries.get(userId) ?? null,
        take: async (userId, own) => {
          const before = gateways.#entries.get(userId) ?? null;
          if (before?.gateway !== own.gateway) gateways.#entries.set(userId, { ...own, from: before?.gateway ?? null });
          return before;
        },
      },
      checkpoints: {
        read: async (gatewayId) => {
          const written = gateways.checkpoints.get(gatewayId);
          return written === undefined
            ? null
            : { generation: 1, isFinal: false, byStudent: new Map([[USER_ID, written]]) };
        },
      },
      kept: { stateOf: () => null },
      sessions: () => ({
        handOver: () => state,
        lose: () => void gateways.lost.push(id),
        adopt: ignore,
        students: () => [USER_ID],
      }),
      append: async () => undefined,
      storedReport: async () => null,
      pendingFor: async () => [],
      address: () => `http://${id}`,
      offsetMs: () => 0,
      logger,
    });
    this.#members.set(id, member);
    return member;
  }

  async answer(to: string, question: Question, body: unknown): Promise<unknown> {
    const member = this.#members.get(to);
    return question === 'hand-over'
      ? member?.handOver(body as HandOverQuestion)
      : member?.isAwaiting(body as HandOverQuestion);
  }
}

async function twoGateways() {
  const gateways = new Gateways();
  const before = gateways.add('before', stateOf('exact'));
  const after = gateways.add('after', stateOf('none'));
  gateways.checkpoints.set('before', stateOf('older'));
  await before.claim(USER_ID, false);
  return { gateways, before, after };
}

const sessionsOf = (state: StudentState | 'unknown') =>
  state === 'unknown' ? state : state.accounts.map(({ sessionId }) => sessionId);

describe('a student who comes to another gateway', () => {
  it('is handed over exactly, also by a gateway that had no turn for a moment, if the other still waits', async () => {
    const { gateways, after } = await twoGateways();
    gateways.lapsed.add('before');
    expect(sessionsOf(await after.claim(USER_ID, true))).toEqual(['exact']);
    expect(gateways.lost).toEqual([]);
  });

  it('is lost to a gateway whose answer is no longer awaited, so that its late word changes nothing', async () => {
    const { gateways, before, after } = await twoGateways();
    gateways.silent.add('before');
    expect(sessionsOf(await after.claim(USER_ID, true))).toEqual(['older']);
    expect(await before.handOver({ userId: USER_ID, from: 'after' })).toEqual({ state: null });
    expect([gateways.lost, before.holds(USER_ID)]).toEqual([['before'], false]);
    gateways.lapsed.add('before');
    expect(await before.maySave(WINDOW)).toBe(false);
  });

  it('keeps what the gateway before counts until it answers, though that one finds the new owner first', async () => {
    const { gateways, before, after } = await twoGateways();
    gateways.lapsed.add('before');
    const found: unknown[] = [];
    const { answer } = gateways;
    gateways.answer = async (to, question, body) => {
      if (question === 'hand-over') {
        before.check();
        found.push(await before.maySave(WINDOW));
      }
      return answer.call(gateways, to, question, body);
    };
    expect(sessionsOf(await after.claim(USER_ID, true))).toEqual(['exact']);
    expect([found, gateways.lost]).toEqual([[true], []]);
    expect(await before.maySave(WINDOW)).toBe(true);
  });
});
