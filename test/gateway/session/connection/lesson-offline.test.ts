import { describe, expect, it } from 'vitest';
import { ObservationOutbox, type QueuedObservation } from '../../../../client/connection/observation-outbox.ts';
import { faceAtScreen, NO_FACE } from '../../../../harness/observations.ts';
import { clientMessageBytes } from '../../../../shared/protocol/frames.ts';
import { Driver, newAccount } from './driver.ts';

const LESSON_MS = 45 * 60_000;
const EVERY_MS = 400;
const MAX_STORED_BYTES = 1_000_000;
/** A minute at the screen, and a minute without anybody there. */
const isThere = (atMs: number) => Math.floor(atMs / 60_000) % 2 === 0;

/** What waits of a lesson without a network, as device mode takes its observations. */
function lessonOffline(stored: Map<number, QueuedObservation>): ObservationOutbox {
  const outbox = new ObservationOutbox({
    put: (queued) => stored.set(queued.captureMs, queued),
    remove: (captureMs) => stored.delete(captureMs),
    clear: () => stored.clear(),
  });
  outbox.acknowledged(0);
  for (let atMs = EVERY_MS; atMs <= LESSON_MS; atMs += EVERY_MS) {
    const observation = isThere(atMs) ? faceAtScreen({ headYawDeg: (atMs % 700) / 1000 }) : NO_FACE;
    if (outbox.wants(atMs)) outbox.enqueue({ kind: 'observation', captureMs: atMs, observation });
  }
  return outbox;
}

describe('45 minutes without a network', () => {
  it('all of them wait, in less than 1 MB', () => {
    const stored = new Map<number, QueuedObservation>();
    const outbox = lessonOffline(stored);
    expect(outbox.size).toBeGreaterThan(LESSON_MS / 400 - 10);
    const bytes = clientMessageBytes({ kind: 'observation' });
    expect(stored.size * bytes).toBeLessThan(MAX_STORED_BYTES);
  });

  it('delivered two days later, once, from what is stored, the totals are right to the second', () => {
    const stored = new Map<number, QueuedObservation>();
    lessonOffline(stored);
    const outbox = new ObservationOutbox(null, [...stored.values()]);
    const driver = Driver.tracking(undefined, 'device');
    driver.observation(0, faceAtScreen());
    driver.nowMs += 48 * 3_600_000;
    const doubled: number[] = [];
    for (let nowMs = 0; outbox.size > 0; nowMs += 100) {
      for (let message = outbox.next(nowMs); message !== null; message = outbox.next(nowMs)) {
        if (message.kind !== 'observation') throw new Error(message.kind);
        driver.nowMs += 20;
        driver.observation(message.captureMs, message.observation, true);
        // One acknowledgement in fifty is lost with its connection: the message comes once more.
        if (doubled.length < outbox.size / 50) {
          doubled.push(message.captureMs);
          outbox.requeueSent();
        } else outbox.acknowledged(message.captureMs);
      }
    }
    const totals = driver.last('update').update;
    const minutes = (n: number) => n * 60_000;
    expect(doubled.length).toBeGreaterThan(0);
    expect(totals.untrackedMs).toBe(0);
    // 23 minutes at the screen, 22 without a face; a change is decided within a second, and they even out.
    expect(Math.abs(totals.focusedMs - minutes(23))).toBeLessThan(22 * 1000);
    expect(Math.abs(totals.focusedMs + totals.unfocusedMs + totals.unknownMs - LESSON_MS)).toBeLessThan(1000);
  }, 60_000);

  it('L-7 a connection for late messages counts no others', () => {
    const driver = new Driver();
    driver.features = ['late'];
    driver.hello(['late']);
    driver.admit({ ...newAccount(), lateOnly: true }, true);
    expect(driver.last('send').message).toMatchObject({ type: 'welcome', late: 'l' });
    driver.start(0, null, 'device');
    driver.observation(400, faceAtScreen());
    driver.observation(800, faceAtScreen(), true);
    expect(driver.all('update').map(({ update }) => update.outcome)).toEqual(['out_of_order', 'processed']);
  });
});
