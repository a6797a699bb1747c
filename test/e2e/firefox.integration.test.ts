import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DrivenPage } from '../../harness/driven-page.ts';
import { type LaunchedFirefox, launchFirefox } from '../../harness/firefox.ts';
import { startPage } from '../../harness/lesson.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import {
  type DemoPageOptions,
  messagesOf,
  postsOf,
  sentBySocket,
  trackDemoPage,
  untilFocused,
} from '../support/demo-page.ts';

let product: Product;
let browser: LaunchedFirefox;

beforeAll(async () => {
  product = await startProduct();
  browser = await launchFirefox();
});

afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function track(mode: 'server' | 'device', options?: DemoPageOptions): Promise<DrivenPage> {
  const page = await browser.openPage(`${product.url}?mode=${mode}`);
  await trackDemoPage(page, options);
  return page;
}

describe('in Firefox', () => {
  it('pictures are grey WebP as in Chromium, few and small, and time is counted', async () => {
    const page = await track('server');
    const frames = (await messagesOf(page)).flatMap((message) => (message.kind === 'frame' ? [message] : []));
    expect(frames.length).toBeGreaterThanOrEqual(5);
    for (const { image, codec, fullFrame } of frames) {
      const { format, icc, exif } = await sharp(image).metadata();
      expect({ codec, format, icc, exif }).toEqual({ codec: 'webp', format: 'webp' });
      const [red, , blue] = (await sharp(image).stats()).channels;
      expect(Math.abs((red?.mean ?? 0) - (blue?.mean ?? 0))).toBeLessThan(2);
      if (!fullFrame) expect(image.byteLength).toBeLessThan(1500);
    }
    await page.close();
  });

  it('device mode looks at the pictures itself: no picture leaves', async () => {
    const page = await track('device');
    const messages = await messagesOf(page);
    expect(messages.length).toBeGreaterThanOrEqual(5);
    expect(messages.map(({ kind }) => kind)).not.toContain('frame');
    await page.close();
  });

  it('a lesson goes by POSTs where no WebSocket gets through', async () => {
    const page = await track('server', { posts: true });
    await untilFocused(page, '0:02');
    expect(await postsOf(page)).toBeGreaterThanOrEqual(3);
    expect(await sentBySocket(page)).toBe(0);
    await page.close();
  });

  it('an <iframe> without allow="camera": the attribute, and a window of its own', async () => {
    const inner = await startPage(`<script src="${product.url}js/webcam-websocket.js"></script><script>
      const onError = (error) => parent.postMessage({ ...error }, '*');
      new WebcamWebSocket({ serverUrl: '${product.url}', onError }).initialize(1, 22, null);</script>`);
    const outer = await startPage(`<script>onmessage = ({ data }) => { window.told = data; };</script>
      <iframe src="${inner.url}"></iframe>`);
    const page = await browser.openPage(outer.url);
    await page.until(() => 'told' in window, null);
    expect(await page.evaluate(() => (window as unknown as { told: object }).told, null)).toMatchObject({
      code: 'embedded',
      message: expect.stringMatching(/<iframe> needs allow="camera"/),
    });
    await page.close();
    outer.close();
    inner.close();
  });
});

describe('in Firefox that alters what pages read of a canvas', () => {
  it('the page says so in plain words, and nothing is captured or counted', async () => {
    const guarded = await launchFirefox({ 'privacy.resistFingerprinting': true });
    try {
      const page = await guarded.openPage(`${product.url}?mode=server`);
      await page.evaluate(() => {
        document.getElementById('consent')?.click();
        document.getElementById('start')?.click();
      }, null);
      await page.until(() => document.getElementById('trouble')?.hidden === false, null);
      const seen = await page.evaluate(
        () => ({
          title: document.getElementById('trouble-title')?.textContent ?? '',
          text: document.getElementById('trouble-text')?.textContent ?? '',
          tracking: document.getElementById('during')?.hidden === false,
        }),
        null,
      );
      expect(seen).toEqual({
        title: 'The browser alters pictures',
        text: expect.stringMatching(/Allow this page to read canvas data/),
        tracking: false,
      });
    } finally {
      await guarded.close();
    }
  });
});
