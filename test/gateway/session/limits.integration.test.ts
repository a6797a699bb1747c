import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { frameMessage, Peer } from '../../../harness/peer.ts';
import { decodeInferenceRequest, encodeInferenceResponse, LINK_SUBPROTOCOL } from '../../../shared/link.ts';

const IMAGE = Uint8Array.of(0xff, 0xd8, 0xff, 0xd9);
const NO_FACE = { face: null, faceCount: 0, detectorRan: true, brightness: 0.4, sharpness: 0.5 };

/** Inference whose queue is full for as long as `isBusy` says so. */
async function inferenceWith(fault: { isBusy: boolean }): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => LINK_SUBPROTOCOL });
  server.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { requestId } = decodeInferenceRequest(data as Buffer);
      socket.send(
        encodeInferenceResponse(
          fault.isBusy
            ? { requestId, status: 'busy', serverMs: 0, retryAfterMs: 100 }
            : { requestId, status: 'ok', serverMs: 1, observation: NO_FACE },
        ),
      );
    }),
  );
  await once(server, 'listening');
  return server;
}

let gateway: TestGateway | null = null;
let inference: WebSocketServer | null = null;

afterEach(async () => {
  await gateway?.dispose();
  inference?.close();
});

it('U-7 limits are lowered while inference is busy, are sent to each student, and are raised again after it', async () => {
  const fault = { isBusy: true };
  inference = await inferenceWith(fault);
  const { port } = inference.address() as AddressInfo;
  let aheadMs = 0;
  gateway = await startTestGateway({ INFERENCE_URL: `http://127.0.0.1:${port}` }, { now: () => Date.now() + aheadMs });
  const peer = await Peer.open(gateway.url);
  const { limits: own, clockMs } = await peer.hello(await gateway.ticket(1));
  await peer.start();
  const startedAtMs = Date.now() - clockMs;
  let seq = 0;
  /** Sends a frame and resolves with its answer. */
  const frame = async () => {
    peer.send(frameMessage(seq, Date.now() + aheadMs - startedAtMs, IMAGE));
    return peer.update(seq++);
  };
  const told = () => peer.controls.flatMap((message) => (message.type === 'limits' ? [message] : []));

  await expect.poll(async () => (await frame()) && told().length, { timeout: 10_000, interval: 60 }).toBeGreaterThan(0);
  expect(told()[0]).toMatchObject({ reason: 'overloaded', limits: { credit: own.credit } });
  expect(told()[0]?.limits.maxFps).toBeLessThan(own.maxFps);
  expect((await frame()).maxFps).toBe(told().at(-1)?.limits.maxFps);
  const other = await Peer.open(gateway.url);
  expect((await other.hello(await gateway.ticket(2))).limits.maxFps).toBeLessThan(own.maxFps);
  // On the device nothing is asked of inference.
  await other.start(0, undefined, 'device');
  await other.control('limits');
  expect(other.controls.at(-1)).toMatchObject({ type: 'limits', limits: own, reason: 'recovered' });

  fault.isBusy = false;
  await expect
    .poll(
      async () => {
        aheadMs += 11_000;
        await frame();
        return told().at(-1);
      },
      { timeout: 20_000, interval: 300 },
    )
    .toMatchObject({ reason: 'recovered', limits: own });
  expect((await frame()).maxFps).toBe(own.maxFps);
}, 40_000);
