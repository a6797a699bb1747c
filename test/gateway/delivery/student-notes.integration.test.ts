import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPartNotes } from '../../../gateway/delivery/stream/student-notes.ts';
import { type NatsLink, natsLink } from '../../../gateway/nats/connection.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { captureLog } from '../../support/log-capture.ts';
import { natsConfig } from '../nats/nats-config.ts';

/** Students 7 and 23 are of part 7. */
const PART = 7;
const LOST = { code: 'part_lost' };

let nats: Nats;
let link: NatsLink;
const log = captureLog();

beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());
beforeEach(() => {
  link = natsLink(natsConfig(nats.url, { NATS_PREFIX: randomUUID().slice(0, 8) }), log.logger, { idleMs: 10_000 });
});
afterEach(() => link.close());

/** The notes of a gateway, with the parts that it has lost. */
function gateway(gatewayId: string) {
  const lost: number[] = [];
  const notes = openPartNotes({ link, gatewayId, logger: log.logger, onLost: (part) => lost.push(part) });
  return { notes, lost, claim: () => link.use((open) => notes.claim(open, PART)) };
}

describe('notes about students', () => {
  it('are there for the gateway that claims the part next, marks of windows too', async () => {
    const [one, two] = [gateway('one'), gateway('two')];
    await one.claim();
    one.notes.set(7, { seconds: 30 });
    one.notes.setMoved(7, 'window', true);
    one.notes.set(23, { seconds: 5 });
    await one.notes.commit([7, 23]);
    one.notes.set(23, null);
    await one.notes.commit([23]);
    await two.claim();
    expect([...two.notes.all()]).toEqual([[7, { seconds: 30 }]]);
    expect(two.notes.isMoved(7, 'window')).toBe(true);
    expect(two.notes.isMoved(7, 'another')).toBe(false);
  });

  it('take nothing from a gateway whose part was claimed by another, not even of a student without a note', async () => {
    const [slow, next] = [gateway('slow'), gateway('next')];
    await slow.claim();
    slow.notes.set(7, { seconds: 30 });
    await slow.notes.commit([7]);
    await next.claim();
    slow.notes.set(23, { seconds: 5 });
    await expect(slow.notes.commit([23])).rejects.toMatchObject(LOST);
    expect(slow.lost).toEqual([PART]);
    // It has nothing any more that it could act on.
    expect(slow.notes.get(7)).toBeNull();
    slow.notes.set(7, { seconds: 60 });
    await expect(slow.notes.commit([7])).rejects.toMatchObject(LOST);
    next.notes.set(7, { seconds: 40 });
    await next.notes.commit([7]);
    await slow.claim();
    expect([...slow.notes.all()]).toEqual([[7, { seconds: 40 }]]);
  });

  it('of a student are forgotten wherever the student is: who has the part finds that out before the next change', async () => {
    const [owner, other] = [gateway('owner'), gateway('other')];
    await owner.claim();
    owner.notes.set(7, { seconds: 30 });
    owner.notes.set(23, { seconds: 5 });
    await owner.notes.commit([7, 23]);
    await other.notes.forget(7);
    owner.notes.set(7, { seconds: 60 });
    await expect(owner.notes.commit([7])).rejects.toMatchObject(LOST);
    await owner.claim();
    expect([...owner.notes.all()]).toEqual([[23, { seconds: 5 }]]);
    await owner.notes.forget(23);
    expect([...owner.notes.all()]).toEqual([]);
  });

  it('say up to which window a gateway before may have tried, where it left the part on purpose', async () => {
    const [first, second] = [gateway('first'), gateway('second')];
    expect(await first.claim()).toBeNull();
    await first.notes.release(PART, 41);
    expect(await second.claim()).toBe(41);
    // The second one is killed.
    expect(await first.claim()).toBeNull();
  });

  it('are claimed by one of two gateways that do so at once', async () => {
    const both = [gateway('one'), gateway('two')];
    await both[0]?.claim();
    const results = await Promise.allSettled(both.map(({ claim }) => claim()));
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const { notes } of both) notes.set(7, { seconds: 1 });
    const written = await Promise.allSettled(both.map(({ notes }) => notes.commit([7])));
    expect(written.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
