import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { type FirefoxPage, type LaunchedFirefox, launchFirefox } from '../../harness/firefox.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { type ClientMessage, decodeClientMessage } from '../../shared/protocol/frames.ts';

/** Long enough for a second of answers, and from where the clip's man looks at his screen. */
const FRAMES = CLIP_FRAMES.slice(0, 60);

interface PageSeen {
  /** What the page sent in binary, base64. */
  messages: string[];
}

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

/** The demo page, tracking: the clip is its camera, and what it sends is written down. */
async function track(mode: 'server' | 'device'): Promise<FirefoxPage> {
  const page = await browser.openPage(`${product.url}?mode=${mode}`);
  const jpegs = FRAMES.map((frame) => Buffer.from(frame).toString('base64'));
  await page.evaluate(
    async ({ jpegs, fps }) => {
      const seen: PageSeen = { messages: [] };
      Object.assign(window, { seen });
      const bitmaps = await Promise.all(
        jpegs.map((jpeg) => {
          const bytes = Uint8Array.from(atob(jpeg), (character) => character.charCodeAt(0));
          return createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
        }),
      );
      navigator.mediaDevices.getUserMedia = async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
        const context = canvas.getContext('2d');
        let next = 0;
        const draw = () => context?.drawImage(bitmaps[next++ % bitmaps.length] as ImageBitmap, 0, 0, 640, 480);
        draw();
        setInterval(draw, 1000 / fps);
        return canvas.captureStream(fps);
      };
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (data instanceof Uint8Array) seen.messages.push(btoa(String.fromCharCode(...data)));
        send.call(this, data);
      };
    },
    { jpegs, fps: CLIP_FPS },
  );
  await page.evaluate(() => {
    document.getElementById('consent')?.click();
    document.getElementById('start')?.click();
  }, null);
  await page.until(() => document.getElementById('during')?.hidden === false, null);
  return page;
}

/** What the page has sent once it counts focused time. */
async function messagesOf(page: FirefoxPage): Promise<ClientMessage[]> {
  await page.until(() => (document.getElementById('time-focused')?.textContent ?? '0:00') >= '0:02', null);
  const messages = await page.evaluate(() => (window as unknown as { seen: PageSeen }).seen.messages, null);
  return messages.map((message) => decodeClientMessage(Buffer.from(message, 'base64')));
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
    expect(messages.every(({ kind }) => kind === 'observation')).toBe(true);
    await page.close();
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
