import { once } from 'node:events';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIP_FRAMES } from '../../../harness/clip.ts';
import { startTestGateway, type TestGateway } from '../../../harness/gateway.ts';
import { frameMessage, Peer } from '../../../harness/peer.ts';
import { type Service, startInference } from '../../../harness/services.ts';
import { waitFor } from '../../../harness/wait-for.ts';

const ENV = { PATH: process.env.PATH, LOG_LEVEL: 'warn' };

let inference: Service;
let gateway: TestGateway;

function picture(index: number): Uint8Array {
  const frame = CLIP_FRAMES[index];
  if (frame === undefined) throw new Error(`the clip has no frame ${index}`);
  return frame;
}

async function untilConnected(): Promise<void> {
  await waitFor('the inference link', async () => {
    const status = (await (await fetch(new URL('/readyz', gateway.url))).json()) as { inference: string[] };
    return status.inference[0] === 'connected';
  });
}

async function tracked(userId: number): Promise<Peer> {
  const peer = await Peer.open(gateway.url);
  await peer.hello(await gateway.ticket(userId));
  await peer.start();
  await untilConnected();
  return peer;
}

beforeAll(async () => {
  inference = await startInference({ env: ENV, log: 'ignore' });
  gateway = await startTestGateway({ INFERENCE_URL: `http://127.0.0.1:${inference.port}` });
});

afterAll(async () => {
  await gateway.dispose();
  await inference.stop();
});

describe('frames to inference and back', () => {
  it('a face yields a crop to send next, and the crop is as good as the frame', async () => {
    const peer = await tracked(1);
    peer.send(frameMessage(0, 10, picture(0)));
    const first = await peer.update(0);
    expect(first).toMatchObject({ outcome: 'processed' });
    const crop = first.nextCrop;
    if (crop === null) throw new Error('no face was found');
    const image = await sharp(picture(1))
      .extract({ left: crop.xPx, top: crop.yPx, width: crop.widthPx, height: crop.heightPx })
      .resize(192, 192, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: 60 })
      .toBuffer();
    peer.send({ kind: 'frame', seq: 1, captureMs: 110, late: false, codec: 'jpeg', crop, fullFrame: false, image });
    const second = await peer.update(1);
    expect(second).toMatchObject({ outcome: 'processed' });
    expect(second.nextCrop).not.toBeNull();
    await peer.close();
  });

  it('F-8 a PNG named JPEG, a truncated JPEG and no picture at all are refused with their codes; the next good frame is served', async () => {
    const peer = await tracked(2);
    const png = await sharp(picture(0)).png().toBuffer();
    const cases: [Uint8Array, string][] = [
      [png.subarray(0, 60_000), 'image_format'],
      [picture(0).subarray(0, 3000), 'image_corrupt'],
      [Uint8Array.of(1, 2, 3, 4), 'image_format'],
    ];
    for (const [seq, [image, code]] of cases.entries()) {
      peer.send(frameMessage(seq, 10 + seq, image));
      expect(await peer.update(seq)).toMatchObject({ outcome: 'refused' });
      expect(await peer.fault(code)).toMatchObject({ fatal: false });
    }
    peer.send(frameMessage(9, 20, picture(0)));
    expect(await peer.update(9)).toMatchObject({ outcome: 'processed' });
    await peer.close();
  });

  it('U-4 inference killed in the middle: frames are unserved until it is back, the session continues', async () => {
    const peer = await tracked(3);
    peer.send(frameMessage(0, 10, picture(0)));
    expect(await peer.update(0)).toMatchObject({ outcome: 'processed' });
    const { port } = inference;
    inference.process.kill('SIGKILL');
    await once(inference.process, 'exit');
    peer.send(frameMessage(1, 20, picture(1)));
    expect(await peer.update(1)).toMatchObject({ outcome: 'unserved' });
    inference = await startInference({ env: ENV, log: 'ignore' }, port);
    await untilConnected();
    peer.send(frameMessage(2, 30, picture(2)));
    expect(await peer.update(2)).toMatchObject({ outcome: 'processed' });
    await peer.close();
  });
});
