import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Product, startProduct } from '../../harness/product.ts';
import { type LaunchedWebkit, launchWebkit, type WebkitPage } from '../../harness/webkit.ts';
import type { ClientMessage } from '../../shared/protocol/frames.ts';
import {
  type DemoPageOptions,
  messagesOf,
  postsOf,
  sentBySocket,
  trackDemoPage,
  turnCamera,
  untilFocused,
} from '../support/demo-page.ts';

const ASSETS = fileURLToPath(new URL('../../dist/client/device', import.meta.url));

let product: Product;
let browser: LaunchedWebkit;

beforeAll(async () => {
  product = await startProduct();
  browser = await launchWebkit();
});

afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function track(mode: 'server' | 'device', options?: DemoPageOptions): Promise<WebkitPage> {
  const page = await browser.openPage(`${product.url}?mode=${mode}`);
  await trackDemoPage(page, options);
  return page;
}

function framesOf(messages: readonly ClientMessage[]): Extract<ClientMessage, { kind: 'frame' }>[] {
  return messages.flatMap((message) => (message.kind === 'frame' ? [message] : []));
}

/** A crop that shows more than was asked for makes the face in it small, and the next crops shrink: 208, 128, 80 px. */
function expectFaceCrops(frames: readonly { fullFrame: boolean; crop: { widthPx: number } }[]): void {
  const widthsPx = frames.flatMap(({ fullFrame, crop }) => (fullFrame ? [] : [crop.widthPx]));
  expect(widthsPx.length).toBeGreaterThanOrEqual(3);
  expect(Math.min(...widthsPx)).toBeGreaterThan(250);
}

describe('in WebKit, which draws whole frames where parts are asked for', () => {
  it('the capture worker finds that out on a known picture, and that WebP is not encoded', async () => {
    const name = (await readdir(ASSETS)).find((file) => /^capture-.*\.js$/.test(file));
    const page = await browser.openPage(`${product.url}healthz`);
    const ready = await page.evaluate(
      (path) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(path);
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        }),
      `/device/${name}`,
    );
    expect(ready).toEqual({ type: 'ready', webp: false, crops: false });
    await page.close();
  });

  it('pictures are small grey JPEGs of the face, also of a camera that is turned, and focused time is counted', async () => {
    const page = await track('server');
    const frames = framesOf(await messagesOf(page));
    expect(frames[0]?.fullFrame).toBe(true);
    for (const { image, codec } of frames) {
      const { format } = await sharp(image).metadata();
      expect({ codec, format }).toEqual({ codec: 'jpeg', format: 'jpeg' });
      const [red, , blue] = (await sharp(image).stats()).channels;
      expect(Math.abs((red?.mean ?? 0) - (blue?.mean ?? 0))).toBeLessThan(2);
    }
    expectFaceCrops(frames);

    await turnCamera(page);
    await untilFocused(page, '0:05');
    expectFaceCrops(framesOf(await messagesOf(page)));
    await page.close();
  });

  it('device mode analyses the pictures itself: no picture leaves', async () => {
    const page = await track('device');
    const messages = await messagesOf(page);
    expect(messages.map(({ kind }) => kind)).not.toContain('frame');
    await page.close();
  });

  it('without VideoFrame and OffscreenCanvas the page draws the pictures itself', async () => {
    const page = await track('server', { without: ['VideoFrame', 'OffscreenCanvas'] });
    const frames = framesOf(await messagesOf(page));
    expect(frames.map(({ codec }) => codec)).not.toContain('webp');
    expectFaceCrops(frames);
    await page.close();
  });

  it('a lesson goes by POSTs where no WebSocket gets through', async () => {
    const page = await track('server', { posts: true });
    await untilFocused(page, '0:02');
    expect(await postsOf(page)).toBeGreaterThanOrEqual(3);
    expect(await sentBySocket(page)).toBe(0);
    await page.close();
  });

  it('a page that comes back from the back-forward cache resumes its session, and the time between is not tracked', async () => {
    const page = await track('server');
    await untilFocused(page, '0:02');
    await page.evaluate(() => {
      Object.assign(window, { isTheSame: true });
    }, null);
    await page.visit(`${product.url}reports`);
    // A gap of up to 2 s belongs to the observation before it.
    await page.until(() => location.pathname === '/reports' && performance.now() > 4000, null);
    await page.back();
    await page.until(() => 'isTheSame' in window, null);
    await untilFocused(page, '0:04');
    const untracked = await page.evaluate(() => document.getElementById('time-untracked')?.textContent, null);
    expect(untracked).not.toBe('0:00');
    await page.close();
  });
});
