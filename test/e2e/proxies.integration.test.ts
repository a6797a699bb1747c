import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionReport } from '../../gateway/store/port.ts';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { type Lesson, openTracker, startLesson, untilCounted } from '../../harness/lesson.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import {
  bufferingProxy,
  cuttingProxy,
  getAndPostProxy,
  proxyWithoutUpgrade,
  type RunningProxy,
} from '../../harness/proxy.ts';
import { fetchTicket } from '../../harness/student.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** What may be under way when a session ends. */
const UNDER_WAY_MS = 1500;

let product: Product;
let lesson: Lesson;
let clip: FakeCameraClip;
let browser: LaunchedChromium;
let users = 700;

beforeAll(async () => {
  product = await startProduct();
  lesson = await startLesson(product.url);
  clip = await expandMjpeg(CLIP_FRAMES.slice(0, 60), CLIP_FPS);
  // All pages of the file at once: the longest wait is that for a WebSocket that says nothing.
  const args = ['--disable-background-timer-throttling', '--disable-renderer-backgrounding'];
  browser = await launchChromium({ clipPath: clip.path, args });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  lesson?.close();
  await product?.stop();
});

/** POSTs of the stream that the page has had answers to. */
function postsOf(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).filter(
        ({ name, initiatorType }) => name.endsWith('/v1/stream') && initiatorType === 'fetch',
      ).length,
  );
}

async function reportOf(sessionId: string, userId: number): Promise<SessionReport> {
  return waitFor('the stored session', async () => {
    const response = await fetch(new URL(`/api/v1/sessions/${sessionId}`, product.url), {
      headers: { authorization: `Bearer ${await fetchTicket(product.url, userId)}` },
    });
    const { report } = (await response.json()) as { report?: SessionReport };
    return report ?? null;
  }) as Promise<SessionReport>;
}

function coveredMs({ focusedMs, unfocusedMs, unknownMs, untrackedMs }: SessionReport): number {
  return focusedMs + unfocusedMs + unknownMs + untrackedMs;
}

/** Tracks a new student through a proxy, does `work` meanwhile, ends the session and holds its totals to the truth. */
async function track(proxy: RunningProxy, work: (page: Page) => Promise<void>): Promise<SessionReport> {
  const userId = ++users;
  const page = await browser.newPage();
  await openTracker(page, lesson, proxy.url);
  const askedAtMs = performance.now();
  expect(await page.evaluate((user) => window.tracker.initialize(user, 22, 1), userId)).toBe(true);
  const connectedAtMs = performance.now();
  await work(page);
  const leastMs = performance.now() - connectedAtMs - UNDER_WAY_MS;
  const stopped = await page.evaluate(() => window.tracker.finish());
  const mostMs = performance.now() - askedAtMs + UNDER_WAY_MS;
  const { sessions } = await page.evaluate(() => window.heard);
  await page.close();
  expect(new Set(sessions.map(({ sessionId }) => sessionId))).toEqual(new Set([stopped?.sessionId]));
  const report = await reportOf(stopped?.sessionId ?? '', userId);
  expect(coveredMs(report)).toBeGreaterThan(leastMs);
  expect(coveredMs(report)).toBeLessThan(mostMs);
  expect(report.focusedMs).toBeGreaterThan(0);
  return report;
}

describe.concurrent('a student behind', () => {
  it('a proxy that refuses Upgrade is tracked by POSTs, and the next page begins with them', async () => {
    const proxy = await proxyWithoutUpgrade(product.url);
    try {
      await track(proxy, async (page) => {
        await untilCounted(page, 3000);
        expect(await postsOf(page)).toBeGreaterThan(3);
      });
      const sockets: string[] = [];
      await track(proxy, async (page) => {
        page.on('websocket', (socket) => sockets.push(socket.url()));
        await untilCounted(page, 1000);
        expect(await postsOf(page)).toBeGreaterThan(0);
        // The first page needed two tries, this one none.
        expect(await page.evaluate(() => window.heard.phases)).toEqual(['connecting', 'connected']);
      });
      expect(sockets).toEqual([]);
    } finally {
      await proxy.close();
    }
  });

  it.each([
    ['keeps everything until it has it whole', bufferingProxy],
    ['lets GET and POST through alone, without a preflight', getAndPostProxy],
  ])('one that %s', async (_what, startProxy) => {
    const proxy = await startProxy(product.url);
    try {
      await track(proxy, async (page) => {
        await untilCounted(page, 3000);
        expect(await postsOf(page)).toBeGreaterThan(3);
      });
    } finally {
      await proxy.close();
    }
  });

  it('one that cuts every connection again and again: one session, by POSTs in the end', async () => {
    const proxy = await cuttingProxy(product.url);
    try {
      await track(proxy, async (page) => {
        for (let cuts = 0; cuts < 5; cuts++) {
          const { countedMs } = await page.evaluate(() => window.heard);
          await untilCounted(page, countedMs + 1000);
          await proxy.cut();
        }
        const { countedMs } = await page.evaluate(() => window.heard);
        await untilCounted(page, countedMs + 1000);
        expect(await postsOf(page)).toBeGreaterThan(3);
        expect((await page.evaluate(() => window.heard.sessions)).some(({ resumed }) => resumed)).toBe(true);
      });
    } finally {
      await proxy.close();
    }
  });
});
