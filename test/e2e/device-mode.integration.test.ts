import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { type Lesson as SchoolPage, startLesson } from '../../harness/lesson.ts';
import { openShapedLink } from '../../harness/link/shaped-link.ts';
import { symmetricLink } from '../../harness/link/shapes.ts';
import { encodePicture } from '../../harness/page-pictures.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { openTcpLink, type TcpLink } from '../../harness/tcp-link.ts';
import { openEngine } from '../../inference/engine/open.ts';
import { loadModels } from '../../inference/models/store.ts';
import { observe } from '../../inference/observe.ts';
import { createPictureReader } from '../../inference/pixels/reader.ts';
import { createFocusTracker, observeSample, readingOf } from '../../shared/focus/tracker.ts';
import type { FaceRoi, RectPx } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { FRAME_TYPE } from '../../shared/protocol/frames.ts';
import { nextCrop } from '../../shared/vision/crop.ts';

import {
  ASSETS,
  assetNames,
  finish,
  initialize,
  keptOf,
  keptReach,
  type Lesson,
  type SeenByPage,
  seen,
  type Tracker,
  updatesReach,
} from './device-lesson.ts';

const CAMERA = { widthPx: 400, heightPx: 300 };
let product: Product;
let link: TcpLink;
let school: SchoolPage;
let clip: FakeCameraClip;
let browser: LaunchedChromium;
/** First bytes and lengths of all binary messages that pages sent, in order. */
const sent: { first: number; bytes: number }[] = [];

/** A page of another origin than the gateway's, with a tracker that reaches the gateway over the link. */
async function openLesson(options: Record<string, unknown>): Promise<Page> {
  const page = await browser.newPage();
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (typeof payload !== 'string') sent.push({ first: payload[0] ?? 0, bytes: payload.length });
    }),
  );
  await page.goto(school.url);
  await page.evaluate(
    (given) => {
      const seen: SeenByPage = { updates: [], errors: [], modes: [], sessions: [], cameras: 0, notices: [] };
      const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (constraints) => {
        seen.cameras += 1;
        return original(constraints);
      };
      const page = window as unknown as { WebcamWebSocket: new (options: object) => Tracker };
      const options = {
        ...given,
        onTrackingUpdate: (update: SeenByPage['updates'][number]) => seen.updates.push(update),
        onError: (error: SeenByPage['errors'][number]) => seen.errors.push({ ...error }),
        onModeChange: (report: SeenByPage['modes'][number]) => seen.modes.push(report),
        onNotice: (notice: SeenByPage['notices'][number]) => seen.notices.push(notice),
        onSession: (session: SeenByPage['sessions'][number]) => seen.sessions.push(session),
      };
      const tracker = new page.WebcamWebSocket(options);
      Object.assign(window, { seen, tracker, options });
    },
    { serverUrl: `http://127.0.0.1:${link.port}`, ...options },
  );
  return page;
}

async function ticketOf(userId: number): Promise<string> {
  const answer = await fetch(new URL(`/dev/ticket?userId=${userId}&moduleId=22`, product.url));
  return ((await answer.json()) as { ticket: string }).ticket;
}

interface StoredSession {
  readonly windows: readonly { readonly mode: string; readonly framesProcessed: number }[];
  readonly focusedMs: number;
  readonly unfocusedMs: number;
  readonly unknownMs: number;
  readonly untrackedMs: number;
}

async function stored(sessionId: string, userId: number): Promise<StoredSession> {
  const ticket = await ticketOf(userId);
  const response = await fetch(new URL(`/api/v1/sessions/${sessionId}`, product.url), {
    headers: { authorization: `Bearer ${ticket}` },
  });
  return ((await response.json()) as { report: StoredSession }).report;
}

beforeAll(async () => {
  product = await startProduct();
  link = await openTcpLink(Number(new URL(product.url).port));
  school = await startLesson(`http://127.0.0.1:${link.port}/`);
  clip = await expandMjpeg(CLIP_FRAMES.slice(0, 60), CLIP_FPS);
  browser = await launchChromium({ clipPath: clip.path });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  school?.close();
  await link?.close();
  await product?.stop();
});

describe('device mode on a page of the school', () => {
  it('sends observations alone, under 0.5 kB/s; no picture leaves the device', async () => {
    sent.length = 0;
    const page = await openLesson({ mode: 'device' });
    expect(await initialize(page, 301)).toBe(true);
    await updatesReach(page, 1);
    const before = await page.evaluate(() => ({
      atMs: performance.now(),
      bytes: (window as unknown as Lesson).tracker.stats()?.bytesUp ?? 0,
    }));
    await updatesReach(page, 25);
    const bytesPerSecond = await page.evaluate(
      (from) =>
        ((((window as unknown as Lesson).tracker.stats()?.bytesUp ?? 0) - from.bytes) * 1000) /
        (performance.now() - from.atMs),
      before,
    );
    const { errors, modes, sessions } = await seen(page);
    expect(errors).toEqual([]);
    expect(modes.at(-1)).toMatchObject({ mode: 'device', reason: 'asked' });
    // The models' download is reported, in compressed bytes.
    const [, models] = assetNames();
    const compressedBytes = statSync(join(ASSETS, `${models}.br`)).size;
    expect(modes.at(-1)?.downloadedBytes).toBeGreaterThanOrEqual(compressedBytes);
    expect(modes.at(-1)?.downloadedBytes).toBeLessThan(compressedBytes + 1000);
    expect(bytesPerSecond).toBeLessThan(500);
    const types = sent.map(({ first }) => first & 15);
    expect(types).not.toContain(FRAME_TYPE.frame);
    expect(types).toContain(FRAME_TYPE.observation);
    expect(Math.max(...sent.map(({ bytes }) => bytes))).toBe(56);
    const totals = (await finish(page))?.totals;
    const report = await stored(sessions[0]?.sessionId ?? '', 301);
    expect(report.windows.every(({ mode }) => mode === 'device')).toBe(true);
    expect(report.focusedMs).toBe(totals?.focusedMs);
    await page.close();
  });

  it('changes there and back while the session runs: one session, one camera, each window with its mode', async () => {
    const page = await openLesson({});
    expect(await initialize(page, 302)).toBe(true);
    await updatesReach(page, 5);
    expect((await seen(page)).modes.at(-1)).toMatchObject({ mode: 'server', reason: 'link_good' });
    await page.evaluate(() => (window as unknown as Lesson).tracker.setLessData(true));
    await page.waitForFunction(() => (window as unknown as Lesson).seen.modes.at(-1)?.mode === 'device');
    await page.waitForFunction(() => ((window as unknown as Lesson).tracker.stats()?.observationsSent ?? 0) >= 10);
    await page.evaluate(() => (window as unknown as Lesson).tracker.setMode('server'));
    const pictures = await page.evaluate(() => (window as unknown as Lesson).tracker.stats()?.framesSent ?? 0);
    await page.waitForFunction(
      (count) => ((window as unknown as Lesson).tracker.stats()?.framesSent ?? 0) >= count + 3,
      pictures,
    );
    const { cameras, errors, modes, sessions } = await seen(page);
    await finish(page);
    expect(modes.map(({ mode, reason }) => `${mode}: ${reason}`)).toEqual(
      expect.arrayContaining(['server: link_good', 'server: preparing', 'device: data_saver', 'server: asked']),
    );
    expect(cameras).toBe(1);
    expect(sessions).toHaveLength(1);
    expect(errors).toEqual([]);
    const report = await stored(sessions[0]?.sessionId ?? '', 302);
    expect(report.windows.map(({ mode }) => mode)).toEqual(['server', 'device', 'server']);
    await page.close();
  });
});

describe('auto', () => {
  it('goes to the device when the link cannot carry pictures, and says so', async () => {
    const free = symmetricLink({ kbps: null, rttMs: 0 });
    const slow = await openShapedLink(Number(new URL(product.url).port), free);
    const page = await openLesson({ serverUrl: `http://127.0.0.1:${slow.port}` });
    expect(await initialize(page, 305)).toBe(true);
    await updatesReach(page, 3);
    // The models are in the browser's cache from an earlier visit: loading them over this link takes minutes.
    await page.evaluate(
      (urls) => Promise.all(urls.map(async (url) => (await fetch(url)).arrayBuffer())),
      assetNames().map((name) => `http://127.0.0.1:${slow.port}/device/${name}`),
    );
    slow.reshape({ up: symmetricLink({ kbps: 16, rttMs: 300 }).up, down: free.down });
    // Two readings of the link, and whatever its queue still holds.
    const patiently = { timeout: 90_000 };
    await page.waitForFunction(
      () => (window as unknown as Lesson).seen.modes.at(-1)?.mode === 'device',
      undefined,
      patiently,
    );
    await page.waitForFunction(
      () => ((window as unknown as Lesson).tracker.stats()?.observationsSent ?? 0) >= 5,
      undefined,
      patiently,
    );
    const { errors, modes, sessions } = await seen(page);
    expect(modes.at(-1)).toMatchObject({ reason: 'link_slow' });
    expect(modes.at(-1)?.message).toMatch(/connection is slow/);
    // Such a link may break off as well: it is one session all the same.
    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(errors).toEqual([]);
    await finish(page);
    await page.close();
    await slow.close();
  });
});

describe('a device that cannot load the models', () => {
  async function openWithoutModels(options: Record<string, unknown>): Promise<Page> {
    const page = await openLesson(options);
    await page.context().route('**/device/models-*', (route) => route.abort());
    return page;
  }

  afterEach(() => browser.context.unroute('**/device/models-*'));

  it('reports it, and sends no picture where the device alone was asked for', async () => {
    sent.length = 0;
    const page = await openWithoutModels({ mode: 'device' });
    await initialize(page, 306);
    await page.waitForFunction(() => (window as unknown as Lesson).seen.errors.length > 0);
    const { errors, modes } = await seen(page);
    expect(errors).toEqual([expect.objectContaining({ type: 'DEVICE_ERROR', code: 'device_failed' })]);
    expect(modes.at(-1)).toMatchObject({ mode: 'device', reason: 'device_failed' });
    await finish(page);
    expect(sent).toEqual([]);
    await page.close();
  });

  it('stays with the server where it was free to choose', async () => {
    const page = await openWithoutModels({ lessData: true });
    await initialize(page, 307);
    await page.waitForFunction(() => (window as unknown as Lesson).seen.modes.at(-1)?.reason === 'device_failed');
    await updatesReach(page, 5);
    const { errors, modes } = await seen(page);
    expect(modes.at(-1)).toMatchObject({ mode: 'server' });
    expect(errors).toEqual([]);
    await finish(page);
    await page.close();
  });
});

describe('an outage in device mode', () => {
  it('is counted afterwards: nothing is untracked', async () => {
    const page = await openLesson({ mode: 'device' });
    await initialize(page, 303);
    await updatesReach(page, 5);
    await link.cut();
    await keptReach(page, 303, 10);
    await link.restore();
    await page.waitForFunction(() => (window as unknown as Lesson).seen.sessions.length === 2);
    const count = (await seen(page)).updates.length;
    await updatesReach(page, count + 20);
    const { sessions } = await seen(page);
    const totals = (await finish(page))?.totals ?? {};
    expect(sessions[1]).toEqual({ sessionId: sessions[0]?.sessionId, resumed: true });
    const { focusedMs = 0, unfocusedMs = 0, unknownMs = 0, untrackedMs = 0 } = totals;
    expect(untrackedMs).toBeLessThan(0.1 * (focusedMs + unfocusedMs + unknownMs));
    await page.close();
  });

  it('outlives its page: the next one delivers what was kept, once', async () => {
    const first = await openLesson({ mode: 'device' });
    await initialize(first, 304);
    await updatesReach(first, 5);
    const sessionId = (await seen(first)).sessions[0]?.sessionId ?? '';
    await link.cut();
    await keptReach(first, 304, 25);
    expect((await seen(first)).notices.map(({ code }) => code)).toEqual(['lesson_kept']);
    // As a tab that crashes: nothing of the page runs any more.
    await first.close({ runBeforeUnload: false });
    await link.restore();
    // On a shared computer another student's page leaves it, even one that was loaded for the first student.
    for (const claimed of [399, 304]) {
      const other = await openLesson({ mode: 'device' });
      await other.evaluate((port) => {
        const getTicket = async () => {
          const answer = await fetch(`http://127.0.0.1:${port}/dev/ticket?userId=398&moduleId=22`);
          return (await answer.json()).ticket;
        };
        Object.assign((window as unknown as { options: object }).options, { getTicket });
      }, link.port);
      await initialize(other, claimed);
      expect(await keptOf(other, 304)).toBeGreaterThanOrEqual(25);
      expect((await seen(other)).notices.map(({ code }) => code)).not.toContain('lesson_delivered');
      await other.close();
    }
    const second = await openLesson({ mode: 'device' });
    expect(await initialize(second, 304)).toBe(true);
    expect(await keptOf(second, 304)).toBe(0);
    expect((await seen(second)).notices.at(-1)).toMatchObject({
      code: 'lesson_delivered',
      message: expect.stringMatching(/^Your lesson of .* was delivered at /),
    });
    await updatesReach(second, 5);
    await finish(second);
    const report = await stored(sessionId, 304);
    const processed = report.windows.reduce((sum, { framesProcessed }) => sum + framesProcessed, 0);
    expect(processed).toBeGreaterThanOrEqual(29);
    expect(report.untrackedMs).toBe(0);
    expect(report.focusedMs + report.unfocusedMs + report.unknownMs).toBeGreaterThan(9000);
    await second.close();
  });
});

describe('both placements', () => {
  /** Every frame of the clip as server mode sees it: the crop that the gateway asks for, as a page sends it. */
  async function serverObservations(frames: readonly Uint8Array[]): Promise<FaceObservation[]> {
    const vision = { engine: await openEngine('onnx', await loadModels()), read: createPictureReader() };
    const whole: RectPx = { xPx: 0, yPx: 0, ...CAMERA };
    let crop: RectPx | null = null;
    let roi: FaceRoi | null = null;
    const observations: FaceObservation[] = [];
    for (const frame of frames) {
      const { xPx, yPx, widthPx, heightPx }: RectPx = crop ?? whole;
      const drawn = sharp(frame)
        .extract({ left: xPx, top: yPx, width: widthPx, height: heightPx })
        .resize({ width: 192, height: 192, fit: 'inside', withoutEnlargement: true });
      const image = await encodePicture(drawn, { codec: 'webp', quality: 0.4, grey: true });
      const outcome = await observe(vision, { frame: CAMERA, crop: crop ?? whole, roi, image });
      if (outcome.status !== 'ok') throw new Error(outcome.status);
      observations.push(outcome.observation);
      roi = outcome.observation.face?.nextRoi ?? null;
      crop = nextCrop(outcome.observation, CAMERA, crop);
    }
    await vision.engine.close();
    return observations;
  }

  /** The same frames in the browser's worker, by its own messages. */
  async function deviceObservations(frames: readonly Uint8Array[]): Promise<FaceObservation[]> {
    const [worker, models] = assetNames();
    const page = await browser.newPage();
    await page.goto(product.url);
    const observations = await page.evaluate(
      async ({ workerUrl, modelsUrl, modelsBytes, jpegs, camera }) => {
        const worker = new Worker(workerUrl);
        const answer = (type: string) =>
          new Promise<{ observation: unknown }>((resolve, reject) => {
            worker.onmessage = ({ data }) => {
              if (data.type === type) resolve(data);
              else if (data.type === 'failed') reject(new Error(data.message));
            };
          });
        const ready = answer('ready');
        worker.postMessage({ type: 'open', modelsUrl, modelsBytes });
        await ready;
        const seen: unknown[] = [];
        for (const [id, jpeg] of jpegs.entries()) {
          const bytes = Uint8Array.from(atob(jpeg), (character) => character.charCodeAt(0));
          const picture = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
          const looked = answer('inferred');
          worker.postMessage({ type: 'infer', id, picture, camera, captureMs: id * 100 }, [picture]);
          seen.push((await looked).observation);
        }
        worker.terminate();
        return seen;
      },
      {
        workerUrl: `/device/${worker}`,
        modelsUrl: `/device/${models}`,
        modelsBytes: statSync(join(ASSETS, models)).size,
        jpegs: frames.map((frame) => Buffer.from(frame).toString('base64')),
        camera: CAMERA,
      },
    );
    await page.close();
    return observations as FaceObservation[];
  }

  function states(observations: readonly FaceObservation[]): string[] {
    let state = createFocusTracker({ rule: 'geometric' });
    return observations.map((observation, index) => {
      state = observeSample(state, { atMs: index * (1000 / CLIP_FPS), observation });
      return readingOf(state).state;
    });
  }

  it('agree on the state in at least 98 % of the clip’s frames', async () => {
    const frames = CLIP_FRAMES;
    const [server, device] = [await serverObservations(frames), await deviceObservations(frames)];
    expect(device).toHaveLength(server.length);
    const [ours, theirs] = [states(device), states(server)];
    const agreeing = ours.filter((state, index) => state === theirs[index]).length;
    expect(new Set(theirs).size).toBeGreaterThan(1);
    expect(agreeing / ours.length).toBeGreaterThanOrEqual(0.98);
  });
});
