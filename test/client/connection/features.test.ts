import { describe, expect, it } from 'vitest';
import { stepLink } from '../../../client/connection/link-reducer.ts';
import {
  initialLinkState,
  type LinkEvent,
  type LinkRules,
  type LinkState,
} from '../../../client/connection/link-state.ts';
import { welcome } from '../support/harness.ts';

const RULES: LinkRules = { client: 'test', device: null, connectWithinMs: null, outageLimitMs: null, features: [] };

/** The state after a hello, and the hello. */
function greeted(rules: LinkRules) {
  let state: LinkState = initialLinkState(null);
  let hello: unknown = null;
  const events: ((state: LinkState) => LinkEvent)[] = [
    () => ({ type: 'connect', nowMs: 0 }),
    ({ generation }) => ({ type: 'ticket', generation, ticket: 't' }),
    ({ generation }) => ({ type: 'opened', generation }),
  ];
  for (const event of events) {
    const step = stepLink(state, event(state), rules);
    state = step.state;
    for (const effect of step.effects) if (effect.type === 'send') hello = effect.message;
  }
  return { state, hello };
}

describe('V-2 features', () => {
  it('a client without any sends the hello of the first v1', () => {
    expect(greeted(RULES).hello).not.toHaveProperty('features');
  });

  it('a client names those it has, and knows which of them hold on this connection', () => {
    const { state, hello } = greeted({ ...RULES, features: ['adaptive', 'pauses'] });
    expect(hello).toMatchObject({ type: 'hello', features: ['adaptive', 'pauses'] });
    const { generation } = state;
    const message = welcome({ features: ['pauses'] });
    const live = stepLink(state, { type: 'control', generation, message, nowMs: 1 }, RULES).state;
    expect(live.features).toEqual(['pauses']);
    const lost = stepLink(live, { type: 'closed', generation, code: 1006, nowMs: 2 }, RULES).state;
    const again = stepLink(lost, { type: 'retry', generation: lost.generation }, RULES).state;
    expect([again.phase.name, again.features]).toEqual(['ticket', []]);
  });
});
