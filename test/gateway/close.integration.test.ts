import { describe, expect, it } from 'vitest';
import type { Logger } from '../../gateway/lib/logger.ts';
import { startTestGateway } from '../../harness/gateway.ts';
import { isListening } from '../../harness/is-listening.ts';
import { Peer } from '../../harness/peer.ts';
import { RelayError } from '../../shared/errors.ts';

function recording(lines: { code?: string; step?: string }[]): Logger {
  const note = (fields: unknown) => void lines.push(fields as (typeof lines)[number]);
  return { debug() {}, info() {}, warn: note, error: note };
}

describe('a gateway that closes', () => {
  it('X-2 on a full disk logs what it could not save and still closes every part', async () => {
    const lines: { code?: string; step?: string }[] = [];
    const gateway = await startTestGateway(
      {},
      {
        logger: recording(lines),
        spoolWith: (spool) => ({
          ...spool,
          append: () => Promise.reject(new RelayError('spool_failed', 'no space left on the disk')),
          flush: () => Promise.reject(new RelayError('spool_failed', 'no space left on the disk')),
        }),
      },
    );
    const peer = await Peer.open(gateway.url);
    const { sessionId } = await peer.hello(await gateway.ticket(1));
    await peer.start();
    peer.send({ kind: 'same', seq: 0, captureMs: 900, late: false });
    await peer.update(0);
    await gateway.dispose();
    expect(await peer.closed).toBe(1001);
    expect(gateway.phase()).toBe('closed');
    expect(await isListening(gateway.port)).toBe(false);
    expect(lines).toContainEqual(
      expect.objectContaining({ code: 'windows_not_saved', windows: [expect.objectContaining({ sessionId })] }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ code: 'close_failed', step: 'delivery' }));
  });

  it('a second call of close waits for the first; a student who connects meanwhile is refused and starts nothing', async () => {
    let flushing = () => {};
    let endFlush = () => {};
    const isFlushing = new Promise<void>((resolve) => {
      flushing = resolve;
    });
    const gate = new Promise<number>((resolve) => {
      endFlush = () => resolve(0);
    });
    let lookups = 0;
    const resolve = async () => {
      lookups += 1;
      return ['127.0.0.1'];
    };
    const gateway = await startTestGateway(
      {},
      {
        relay: { resolve, resolveEveryMs: 600_000 },
        spoolWith: (spool) => ({
          ...spool,
          flush: () => {
            flushing();
            return gate;
          },
        }),
      },
    );
    const ready = async () => (await fetch(new URL('/readyz', gateway.url))).json();
    expect(await ready()).toMatchObject({ ready: true });
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(1));
    const ended: string[] = [];
    const first = gateway.close().then(() => ended.push('first'));
    await isFlushing;
    const lookupsBefore = lookups;
    const second = gateway.close().then(() => ended.push('second'));
    expect(await ready()).toMatchObject({ ready: false, reasons: ['draining'] });

    const late = await Peer.open(gateway.url);
    await late.fault('shutting_down');
    expect(await late.closed).toBe(1001);
    expect([lookups - lookupsBefore, ended]).toEqual([0, []]);

    endFlush();
    await Promise.all([first, second]);
    expect(await isListening(gateway.port)).toBe(false);
    await gateway.dispose();
  });
});
