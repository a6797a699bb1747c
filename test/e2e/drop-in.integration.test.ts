import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { decodeClientMessage } from '../../shared/protocol/frames.ts';
import { type Report, sessionAnswerSchema } from '../../shared/report/session.ts';

/** A lesson page as EyeLearn has it: the old script's address is the only thing that changed. */
function lessonPage(scriptUrl: string): string {
  return `<!doctype html><title>Lesson</title>
    <div id="eye-tracking-widget"><span id="tracking-status-indicator"></span><span id="current-focus-status"></span>
      <span id="focused-time"></span><span id="unfocused-time"></span><span id="session-time"></span>
      <span id="focus-percentage"></span><div id="focus-progress-bar"></div></div>
    <script src="${scriptUrl}"></script>`;
}

/** The words that pages know (the old service's). */
const OLD_DIRECTIONS = [
  'centered',
  'looking_left',
  'looking_right',
  'looking_up',
  'looking_down',
  'face_turned',
  'eyes_closed',
  'no_face',
  'distracted',
  'error',
];

const OLD_METRICS = [
  'current_state',
  'focus_percentage',
  'focus_sessions',
  'focused_time',
  'total_time',
  'unfocus_sessions',
  'unfocused_time',
];

/** A school that allows the gateway's script and connection, and no worker. */
function strictPolicy(gatewayUrl: string): string {
  const { origin, host } = new URL(gatewayUrl);
  return `default-src 'none'; script-src ${origin}; connect-src ${origin} ws://${host}; style-src 'unsafe-inline'; worker-src 'none'`;
}

interface Seen {
  updates: {
    is_focused?: boolean;
    gaze_direction?: string;
    metrics: Record<string, number | string>;
    timestamp: string;
  }[];
  connections: boolean[];
  errors: { type: string; message: string; code: string }[];
  cameras: number;
  sessions: string[];
}

interface Tracker {
  initialize(userId: number, moduleId: number, sectionId: unknown): Promise<boolean>;
  setSection(sectionId: unknown): void;
  finish(): Promise<unknown>;
}

let product: Product;
let school: Server;
let schoolUrl: string;
let clip: FakeCameraClip;
let browser: LaunchedChromium;

/** Opens the lesson and makes the old class's object, with everything it reports kept in window.seen. */
async function openLesson(serverUrl: string, path = ''): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${schoolUrl}${path}`);
  await prepareLesson(page, serverUrl);
  return page;
}

async function prepareLesson(page: Page, serverUrl: string): Promise<void> {
  await page.evaluate((url) => {
    const seen: Seen = { updates: [], connections: [], errors: [], cameras: 0, sessions: [] };
    // A gateway that was away in another test may have been found again by POSTs.
    localStorage.removeItem(`gaze-relay:post:${new URL(url.replace('ws', 'http')).origin}`);
    const streams: MediaStream[] = [];
    const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      seen.cameras += 1;
      const stream = await original(constraints);
      streams.push(stream);
      return stream;
    };
    const tracker = new (window as unknown as { WebcamWebSocket: new (options: object) => object }).WebcamWebSocket({
      serverUrl: url,
      frameRate: 15,
      jpegQuality: 0.7,
      onTrackingUpdate: (update: Seen['updates'][number]) => seen.updates.push(update),
      onConnectionChange: (connected: boolean) => seen.connections.push(connected),
      onError: (error: Seen['errors'][number]) => seen.errors.push({ ...error }),
      onSession: (session: { sessionId: string }) => seen.sessions.push(session.sessionId),
    });
    Object.assign(window, { seen, tracker, streams });
  }, serverUrl);
}

function untilUpdates(page: Page, count: number): Promise<unknown> {
  return page.waitForFunction((least) => (window as unknown as { seen: Seen }).seen.updates.length >= least, count);
}

/** The session as the gateway's API has it, once what is stored of it is `enough`. */
async function storedSession(sessionId: string, enough: (report: Report) => boolean): Promise<Report> {
  for (;;) {
    const { ticket } = (await (await fetch(new URL('/dev/ticket?userId=123&moduleId=22', product.url))).json()) as {
      ticket: string;
    };
    const answer = await fetch(new URL(`/api/v1/sessions/${sessionId}`, product.url), {
      headers: { authorization: `Bearer ${ticket}` },
    });
    const report = answer.ok ? sessionAnswerSchema.parse(await answer.json()).report : null;
    if (report !== null && enough(report)) return report;
  }
}

function seen(page: Page): Promise<Seen> {
  return page.evaluate(() => (window as unknown as { seen: Seen }).seen);
}

function trackStates(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    (window as unknown as { streams: MediaStream[] }).streams.flatMap((stream) =>
      stream.getTracks().map((track) => track.readyState),
    ),
  );
}

function initialize(page: Page, section: string | number | null): Promise<boolean> {
  return page.evaluate(
    (sectionId) => (window as unknown as { tracker: Tracker }).tracker.initialize(123, 22, sectionId),
    section,
  );
}

beforeAll(async () => {
  product = await startProduct();
  school = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    if (request.url === '/strict') response.setHeader('content-security-policy', strictPolicy(product.url));
    response.end(lessonPage(new URL('/js/webcam-websocket.js', product.url).href));
  }).listen(0, '127.0.0.1');
  await once(school, 'listening');
  schoolUrl = `http://localhost:${(school.address() as AddressInfo).port}/`;
  clip = await expandMjpeg(CLIP_FRAMES.slice(0, 60), CLIP_FPS);
  browser = await launchChromium({ clipPath: clip.path });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  school?.close();
  await product?.stop();
});

describe('the old class on a page of the school', () => {
  it('connects, reports in the old shape, feeds the widget, and stops the camera', async () => {
    const page = await openLesson(product.url.replace('http', 'ws'));
    expect(await initialize(page, 'checkpoint_3')).toBe(true);
    await page.waitForFunction(() => (window as unknown as { seen: Seen }).seen.updates.length >= 10);
    const { updates, connections, errors } = await seen(page);
    expect(connections).toEqual([true]);
    expect(errors).toEqual([]);
    for (const update of updates) {
      // Missing before anything is known: pages would show red.
      if (update.gaze_direction !== undefined) expect(OLD_DIRECTIONS).toContain(update.gaze_direction);
      expect(update.is_focused ?? false).toBe(update.gaze_direction === 'centered');
      expect(Object.keys(update.metrics)).toEqual(expect.arrayContaining(OLD_METRICS));
      expect(Number.isNaN(Date.parse(update.timestamp))).toBe(false);
    }
    expect(await page.locator('#session-time').textContent()).not.toBe('');
    await page.evaluate(() => {
      const { tracker } = window as unknown as { tracker: { stopWebcam(): void; disconnect(): void } };
      tracker.stopWebcam();
      tracker.disconnect();
    });
    await page.waitForFunction(() => (window as unknown as { seen: Seen }).seen.connections.at(-1) === false);
    expect(await trackStates(page)).toEqual(['ended']);
    await page.close();
  });

  it('opens its connection and loads its worker while the ticket is fetched', async () => {
    const page = await openLesson(product.url);
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    const worker = page.waitForEvent('worker');
    const socket = page.waitForEvent('websocket');
    const ticketUrl = `${product.url}dev/ticket?userId=124&moduleId=22`;
    const started = page.evaluate(async (url) => {
      const { WebcamWebSocket } = window as unknown as { WebcamWebSocket: new (options: object) => Tracker };
      const ask = new Promise<void>((resolve) => Object.assign(window, { ask: resolve }));
      const getTicket = async () => {
        await ask;
        return (await (await fetch(url)).json()).ticket;
      };
      return new WebcamWebSocket({ serverUrl: new URL(url).origin, getTicket }).initialize(124, 22, null);
    }, ticketUrl);
    await Promise.all([worker, socket]);
    await page.evaluate(() => (window as unknown as { ask(): void }).ask());
    expect(await started).toBe(true);
    expect(sockets).toHaveLength(1);
    await page.close();
  });

  it('survives a gateway that is killed: same session, same camera', async () => {
    const page = await openLesson(product.url);
    await initialize(page, 82);
    await page.waitForFunction(() => (window as unknown as { seen: Seen }).seen.updates.length >= 5);
    await product.restartGateway('SIGTERM');
    await page.waitForFunction(
      () => (window as unknown as { seen: Seen }).seen.connections.join() === 'true,false,true',
    );
    const before = (await seen(page)).updates.length;
    await page.waitForFunction(
      (count) => (window as unknown as { seen: Seen }).seen.updates.length >= count + 5,
      before,
    );
    const { cameras, sessions } = await seen(page);
    expect(cameras).toBe(1);
    expect(sessions).toHaveLength(2);
    expect(sessions[1]).toBe(sessions[0]);
    await page.evaluate(() => (window as unknown as { tracker: { disconnect(): void } }).tracker.disconnect());
    await page.close();
  });

  it('moves between lesson sections with one session and one camera, whichever way the page says so', async () => {
    const page = await openLesson(product.url);
    await initialize(page, 82);
    await untilUpdates(page, 5);
    await page.evaluate(() => (window as unknown as { tracker: Tracker }).tracker.setSection(83));
    await untilUpdates(page, 10);
    expect(await initialize(page, '84')).toBe(true);
    await untilUpdates(page, 15);
    const { cameras, sessions, errors } = await seen(page);
    expect(cameras).toBe(1);
    expect(sessions).toHaveLength(1);
    expect(errors).toEqual([]);
    await page.evaluate(() => (window as unknown as { tracker: Tracker }).tracker.finish());
    const stored = await storedSession(sessions[0] ?? '', ({ final }) => final);
    expect([...new Set(stored.windows.map(({ sectionId }) => sectionId))]).toEqual([82, 83, 84]);
    await page.close();
  });

  it('a second tab takes over: the first says so and stops its camera', async () => {
    const first = await openLesson(product.url);
    await initialize(first, 82);
    await untilUpdates(first, 3);
    const second = await openLesson(product.url);
    expect(await initialize(second, 82)).toBe(true);
    await first.waitForFunction(() => (window as unknown as { seen: Seen }).seen.errors.length > 0);
    expect((await seen(first)).errors[0]).toMatchObject({ type: 'SERVER_ERROR', code: 'superseded' });
    expect(await trackStates(first)).toEqual(['ended']);
    await untilUpdates(second, 3);
    expect(await trackStates(second)).toEqual(['live']);
    await first.close();
    await second.evaluate(() => (window as unknown as { tracker: Tracker }).tracker.finish());
    await second.close();
  });

  it('the next page of the tab continues with the session, and a page that is closed leaves its time stored', async () => {
    const page = await openLesson(product.url);
    await initialize(page, 82);
    await untilUpdates(page, 10);
    const before = await seen(page);
    await page.goto(`${schoolUrl}?section=83`);
    await prepareLesson(page, product.url);
    await initialize(page, 83);
    await untilUpdates(page, 5);
    const after = await seen(page);
    expect(after.sessions).toEqual([before.sessions[0]]);
    const counted = (updates: Seen['updates']) => Number(updates.at(-1)?.metrics.total_time);
    expect(counted(after.updates)).toBeGreaterThanOrEqual(counted(before.updates));
    await page.close();
    const countedMs = counted(after.updates) * 1000;
    const stored = await storedSession(
      after.sessions[0] ?? '',
      ({ focusedMs, unfocusedMs }) => focusedMs + unfocusedMs >= countedMs - 100,
    );
    expect([...new Set(stored.windows.map(({ sectionId }) => sectionId))]).toEqual([82, 83]);
  });

  it('makes its pictures in a worker, though the script is of another origin; five a second are the most', async () => {
    const page = await openLesson(product.url);
    const captureMs: number[] = [];
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        if (typeof payload !== 'string') captureMs.push(decodeClientMessage(payload).captureMs);
      });
    });
    await initialize(page, 82);
    await untilUpdates(page, 10);
    expect(page.workers()).toHaveLength(1);
    const steps = captureMs.slice(1).map((atMs, index) => atMs - (captureMs[index] ?? 0));
    expect(steps.toSorted((a, b) => a - b)[steps.length >> 1]).toBeGreaterThan(150);
    await page.evaluate(() => (window as unknown as { tracker: Tracker }).tracker.finish());
    expect(page.workers()).toHaveLength(0);
    await page.close();
  });

  it('sends pictures without colour, in the smallest format, with nothing in them but what is seen', async () => {
    const page = await openLesson(product.url);
    const images: Uint8Array[] = [];
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        const message = typeof payload === 'string' ? null : decodeClientMessage(payload);
        if (message?.kind === 'frame') images.push(message.image);
      });
    });
    await initialize(page, 82);
    await untilUpdates(page, 10);
    await page.close();
    expect(images.length).toBeGreaterThanOrEqual(5);
    for (const image of images) {
      const { format, icc, exif } = await sharp(image).metadata();
      expect({ format, icc, exif }).toEqual({ format: 'webp' });
      expect(String.fromCharCode(...image.subarray(12, 16))).toBe('VP8 ');
      const [red, green, blue] = (await sharp(image).stats()).channels;
      for (const other of [green, blue]) expect(Math.abs((red?.mean ?? 0) - (other?.mean ?? 0))).toBeLessThan(2);
    }
  });

  it('works without a worker where the page allows none', async () => {
    const page = await openLesson(product.url, 'strict');
    expect(await initialize(page, 82)).toBe(true);
    await untilUpdates(page, 10);
    expect(page.workers()).toHaveLength(0);
    expect((await seen(page)).errors).toEqual([]);
    await page.evaluate(() => (window as unknown as { tracker: Tracker }).tracker.finish());
    await page.close();
  });

  it('a connection that fails leaves the camera off and says why', async () => {
    const page = await openLesson('ws://127.0.0.1:1');
    const result = initialize(page, null);
    await page.waitForFunction(() => (window as unknown as { seen: Seen }).seen.errors.length > 0, undefined, {
      timeout: 60_000,
    });
    expect(await result).toBe(false);
    const { errors } = await seen(page);
    expect(errors[0]?.type).toBe('WEBSOCKET_ERROR');
    expect((await trackStates(page)).every((state) => state === 'ended')).toBe(true);
    await page.close();
  });
});
