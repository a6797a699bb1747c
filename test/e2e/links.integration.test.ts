import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SessionReport } from '../../gateway/store/port.ts';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { type Lesson, openTracker, startLesson, untilCounted } from '../../harness/lesson.ts';
import { openShapedLink, type ShapedLink } from '../../harness/link/shaped-link.ts';
import { symmetricLink } from '../../harness/link/shapes.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { fetchTicket } from '../../harness/student.ts';

/** Time that a report may have more than the page was told, besides what passed since then: what was under way. */
const UNDER_WAY_MS = 1500;
/** A section begins with the first picture after its announcement, and an outage is over when a picture says so. */
const SECTION_EDGE_MS = 2500;
/** Pages report four times, each rounded to a tenth of a second. */
const ROUNDED_MS = 200;
/** How long the computer sleeps: longer than an observation covers. */
const SLEEP_MS = 3500;

let product: Product;
let lesson: Lesson;
let link: ShapedLink;
let clip: FakeCameraClip;
let browser: LaunchedChromium;
let users = 500;

beforeAll(async () => {
  product = await startProduct();
  lesson = await startLesson(product.url);
  const shape = symmetricLink({ kbps: 1000, rttMs: 60, loss: 0.01 });
  link = await openShapedLink(Number(new URL(product.url).port), shape);
  clip = await expandMjpeg(CLIP_FRAMES.slice(0, 60), CLIP_FPS);
  browser = await launchChromium({ clipPath: clip.path });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  await link?.close();
  lesson?.close();
  await product?.stop();
});

function coveredMs({ focusedMs, unfocusedMs, unknownMs, untrackedMs }: SessionReport | SessionReport['windows'][0]) {
  return focusedMs + unfocusedMs + unknownMs + untrackedMs;
}

/** The stored report, once it has as much time as the page was told of. */
async function reportOf(sessionId: string, userId: number, leastMs: number): Promise<SessionReport> {
  const giveUpAtMs = performance.now() + 30_000;
  for (;;) {
    const response = await fetch(new URL(`/api/v1/sessions/${sessionId}`, product.url), {
      headers: { authorization: `Bearer ${await fetchTicket(product.url, userId)}` },
    });
    const { report } = (await response.json()) as { report?: SessionReport };
    if (report !== undefined && coveredMs(report) >= leastMs - ROUNDED_MS) return report;
    if (performance.now() > giveUpAtMs) throw new Error(`${leastMs} ms never came to be stored`);
  }
}

/** A page of a new student that tracks in section 1 of module 22. */
async function openTracking(userId: number = ++users) {
  const page = await browser.newPage();
  await openTracker(page, lesson, `http://127.0.0.1:${link.port}`);
  expect(await page.evaluate((user) => window.tracker.initialize(user, 22, 1), userId)).toBe(true);
  const heard = () => page.evaluate(() => window.heard);
  const sessionId = async () => (await heard()).sessions.at(-1)?.sessionId ?? '';
  return { page, userId, heard, sessionId };
}

describe('a student on a link that fails', () => {
  it('an outage and a change of section in it lose no time: one session, one camera, each section its own', async () => {
    const { page, userId, heard } = await openTracking();
    const trackingSinceMs = performance.now();
    await untilCounted(page, 3000);
    const camera = await page.evaluate(() => window.tracker.stream?.id);

    link.setOutage(true);
    link.drop('left');
    await page.waitForFunction(() => (window.tracker.stats()?.kept ?? 0) >= 3);
    await page.evaluate(() => window.tracker.setSection(2));
    const inFirstMs = performance.now() - trackingSinceMs;
    await page.waitForFunction(() => (window.tracker.stats()?.kept ?? 0) >= 6);
    link.setOutage(false);

    await page.waitForFunction(() => window.heard.phases.at(-1) === 'connected');
    await page.waitForFunction(() => window.tracker.stats()?.kept === 0);
    const { countedMs } = await heard();
    await untilCounted(page, countedMs + 2000);
    expect(await page.evaluate(() => window.tracker.stream?.id)).toBe(camera);
    const { sessions, untrackedMs } = await heard();
    expect(new Set(sessions.map((session) => session.sessionId)).size).toBe(1);
    expect(sessions.map(({ resumed }) => resumed)).toEqual([false, true]);
    expect(untrackedMs).toBe(0);

    const stopped = await page.evaluate(() => window.tracker.finish());
    const report = await reportOf(stopped?.sessionId ?? '', userId, countedMs);
    expect(report.untrackedMs).toBe(0);
    const inSection = (id: number) =>
      report.windows.filter(({ sectionId }) => sectionId === id).reduce((sum, window) => sum + coveredMs(window), 0);
    expect(Math.abs(inSection(1) - inFirstMs)).toBeLessThan(SECTION_EDGE_MS);
    // Three of its pictures were kept in the outage, two seconds came after it.
    expect(inSection(2)).toBeGreaterThan(2000);
    await page.close();
  });

  it('another network: the gateway learns nothing of the old connection, the session continues', async () => {
    const { page, heard } = await openTracking();
    await untilCounted(page, 1500);
    link.drop('left');
    await page.waitForFunction(() => window.heard.sessions.length === 2);
    const before = (await heard()).countedMs;
    await untilCounted(page, before + 1500);
    const { sessions, errors, untrackedMs } = await heard();
    expect(sessions[1]).toEqual({ sessionId: sessions[0]?.sessionId, resumed: true });
    expect(errors).toEqual([]);
    expect(untrackedMs).toBe(0);
    await page.close();
  });
});

describe('what was counted is stored', () => {
  it('when the page is left', async () => {
    const { page, userId, heard, sessionId } = await openTracking();
    await untilCounted(page, 2000);
    const session = await sessionId();
    const heardAtMs = performance.now();
    const { countedMs } = await heard();
    await page.goto('about:blank');
    const sinceMs = performance.now() - heardAtMs;
    const report = await reportOf(session, userId, countedMs);
    expect(coveredMs(report)).toBeLessThan(countedMs + sinceMs + UNDER_WAY_MS);
    await page.close();
  });

  it('when the tab crashes', async () => {
    const { page, userId, heard, sessionId } = await openTracking();
    await untilCounted(page, 2000);
    const session = await sessionId();
    const heardAtMs = performance.now();
    const { countedMs } = await heard();
    const crashed = page.waitForEvent('crash');
    page.goto('chrome://crash').catch(() => undefined);
    await crashed;
    const sinceMs = performance.now() - heardAtMs;
    const report = await reportOf(session, userId, countedMs);
    expect(coveredMs(report)).toBeLessThan(countedMs + sinceMs + UNDER_WAY_MS);
    await page.close();
  });

  it('when a second tab takes over: the first says so, is off, and the time of both is there', async () => {
    const first = await openTracking();
    await untilCounted(first.page, 2000);
    const firstSession = await first.sessionId();
    const second = await openTracking(first.userId);
    await first.page.waitForFunction(() => window.heard.errors.length > 0);
    expect((await first.heard()).errors[0]?.code).toBe('superseded');
    expect(await first.page.evaluate(() => window.tracker.stream)).toBeNull();
    const { countedMs } = await first.heard();
    await untilCounted(second.page, 1500);
    const heardAtMs = performance.now();
    const told = (await second.heard()).countedMs;
    const stopped = await second.page.evaluate(() => window.tracker.finish());
    const sinceMs = performance.now() - heardAtMs;
    expect(coveredMs(await reportOf(firstSession, first.userId, countedMs))).toBeLessThan(countedMs + UNDER_WAY_MS);
    const ofSecond = await reportOf(stopped?.sessionId ?? '', first.userId, told);
    expect(coveredMs(ofSecond)).toBeLessThan(told + sinceMs + UNDER_WAY_MS);
    await first.page.close();
    await second.page.close();
  });

  it('when the lid is closed: the time of sleep is untracked, and tracking continues by itself', async () => {
    const { page, heard } = await openTracking();
    await untilCounted(page, 1500);
    const { countedMs } = await heard();
    const asleepAtMs = performance.now();
    await browser.suspendDuring(() => setTimeout(SLEEP_MS));
    const sleptMs = performance.now() - asleepAtMs;
    await untilCounted(page, countedMs + 5000);
    const { untrackedMs, sessions } = await heard();
    expect(untrackedMs).toBeGreaterThan(SLEEP_MS - 1000);
    expect(untrackedMs).toBeLessThan(sleptMs + 2000);
    expect(new Set(sessions.map((session) => session.sessionId)).size).toBe(1);
    await page.close();
  });
});
