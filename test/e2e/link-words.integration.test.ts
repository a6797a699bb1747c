import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { startPage } from '../../harness/lesson.ts';
import { openShapedLink, type ShapedLink } from '../../harness/link/shaped-link.ts';
import { symmetricLink } from '../../harness/link/shapes.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { FRAME_TYPE } from '../../shared/protocol/frames.ts';

const GOOD = symmetricLink({ kbps: 10_000, rttMs: 20 });
const SLOW = symmetricLink({ kbps: 32, rttMs: 300, loss: 0.02 });

let product: Product;
let link: ShapedLink;
let clip: FakeCameraClip;
let browser: LaunchedChromium;

beforeAll(async () => {
  product = await startProduct();
  link = await openShapedLink(Number(new URL(product.url).port), GOOD);
  clip = await expandMjpeg(CLIP_FRAMES, CLIP_FPS);
  browser = await launchChromium({ clipPath: clip.path });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  await link?.close();
  await product?.stop();
});

/** The demo page over the link, tracking. */
async function openLive(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${link.port}/`);
  await page.locator('#consent').check();
  await page.locator('#start').click();
  await page.locator('#during').waitFor({ state: 'visible' });
  return page;
}

function untilSaid(page: Page, words: string): Promise<unknown> {
  return page.waitForFunction((text) => document.getElementById('connection')?.textContent === text, words);
}

describe('the page about its connection', () => {
  it('says that it is well, slow, lost and back; the session continues', async () => {
    const page = await openLive();
    await untilSaid(page, 'Connected');
    link.reshape(SLOW);
    await untilSaid(page, 'Your connection is slow: sending fewer pictures');
    link.reshape(GOOD);
    await untilSaid(page, 'Connected');
    link.setOutage(true);
    link.drop('left');
    await untilSaid(page, 'Reconnecting. Your time is saved');
    link.setOutage(false);
    await untilSaid(page, 'Connected');
    await page.locator('#pause').click();
    await untilSaid(page, 'Connected. Paused: no pictures are taken');
    expect(await page.title()).toMatch(/^Paused/);
    await page.locator('#pause').click();
    await untilSaid(page, 'Connected');
    await page.locator('#stop').click();
    await page.locator('#after').waitFor({ state: 'visible' });
    await page.close();
  });

  it('uses less data where the student wants that, and remembers it', async () => {
    const page = await openLive();
    await untilSaid(page, 'Connected');
    await page.locator('#less-data').check();
    await untilSaid(page, 'Connected, using less data');
    await page.locator('#stop').click();
    await page.reload();
    await page.locator('#consent').check();
    await page.locator('#start').click();
    await untilSaid(page, 'Connected, using less data');
    expect(await page.locator('#less-data').isChecked()).toBe(true);
    await page.locator('#data-used', { hasText: 'kB' }).waitFor();
    await page.locator('#stop').click();
    await page.locator('#after').waitFor({ state: 'visible' });
    await page.close();
  });
});

describe('the sign on a lesson page', () => {
  it('says without a connection that the device tracks, and that it is back', async () => {
    const ticketUrl = new URL('/dev/ticket?userId=71', product.url).href;
    const school = await startPage(
      `<!doctype html><title>Lesson</title><script src="http://127.0.0.1:${link.port}/js/cv-eye-tracking.js"
        data-module-id="22" data-ticket-url="${ticketUrl}"></script>`,
    );
    const page = await browser.newPage();
    let sendsObservations = false;
    page.on('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        sendsObservations ||= typeof payload !== 'string' && ((payload[0] ?? 0) & 15) === FRAME_TYPE.observation;
      }),
    );
    // As a student whose browser saves data: `auto` analyses on the device then.
    await page.addInitScript(() =>
      Object.defineProperty(navigator, 'connection', { value: { saveData: true }, configurable: true }),
    );
    try {
      await page.goto(school.url);
      const word = page.locator('gaze-relay-widget .toggle .word');
      await waitFor('observations of the device', () => sendsObservations);
      link.setOutage(true);
      link.drop('left');
      await word.filter({ hasText: 'Tracked on this device' }).waitFor();
      await word.click();
      const text = page.locator('gaze-relay-widget .body p', { hasText: 'Your time is kept here and delivered later' });
      await text.waitFor();
      link.setOutage(false);
      await word.filter({ hasText: /focused/i }).waitFor();
      await text.waitFor({ state: 'hidden' });
    } finally {
      link.setOutage(false);
      await page.close();
      school.close();
    }
  });
});
