import { expect, it, vi } from 'vitest';
import { startTestGateway } from '../../../harness/gateway.ts';
import { Peer } from '../../../harness/peer.ts';
import { RelayError } from '../../../shared/errors.ts';

it('a gateway on a full disk is not ready, says why, and is again when there is room', async () => {
  let isFull = true;
  const gateway = await startTestGateway(
    {},
    {
      spoolWith: (spool) => ({
        ...spool,
        append: (window) =>
          isFull ? Promise.reject(new RelayError('spool_failed', 'no space left on the disk')) : spool.append(window),
      }),
    },
  );
  const readiness = async () => {
    const response = await fetch(new URL('/readyz', gateway.url));
    const { reasons } = (await response.json()) as { reasons: string[] };
    return [response.status, reasons];
  };
  try {
    expect(await readiness()).toEqual([200, []]);
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(7));
    await peer.start();
    peer.send({ kind: 'same', seq: 0, captureMs: 500, late: false });
    await peer.update(0);
    await peer.close();
    const wait = { timeout: 20_000, interval: 50 };
    await vi.waitFor(async () => expect(await readiness()).toEqual([503, ['spool_failed']]), wait);
    isFull = false;
    await vi.waitFor(async () => expect(await readiness()).toEqual([200, []]), wait);
  } finally {
    await gateway.dispose();
  }
});
