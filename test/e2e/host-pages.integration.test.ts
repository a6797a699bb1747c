import { setTimeout } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expandMjpeg, type FakeCameraClip, type LaunchedChromium, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { type Lesson, openTracker, startLesson, startPage, untilCounted } from '../../harness/lesson.ts';
import { type Product, startProduct } from '../../harness/product.ts';

/** What a page can do to the tracker beyond its callbacks. */
type Meddler = typeof globalThis & {
  tracker: { videoElement: HTMLVideoElement; isCapturing: boolean; pauseReason: string | null };
  /** A camera of the page's own making: a canvas of this size with the pictures of the real one. */
  drawn: { canvas: HTMLCanvasElement; resize(widthPx: number, heightPx: number): void; start(): void };
  starts: { camera: { widthPx: number; heightPx: number } }[];
  mute(isMuted: boolean): Promise<void>;
};

let product: Product;
let school: Lesson;
let clip: FakeCameraClip;
let browser: LaunchedChromium;
let nextUser = 700;

beforeAll(async () => {
  product = await startProduct();
  school = await startLesson(product.url);
  clip = await expandMjpeg(CLIP_FRAMES.slice(0, 60), CLIP_FPS);
  browser = await launchChromium({ clipPath: clip.path });
});

afterAll(async () => {
  await browser?.close();
  await clip?.remove();
  school?.close();
  await product?.stop();
});

function initialize(page: Page, userId = nextUser++): Promise<boolean> {
  return page.evaluate((id) => window.tracker.initialize(id, 22, null), userId);
}

function errorCodes(page: Page): Promise<string[]> {
  return page.evaluate(() => window.heard.errors.map(({ code }) => code));
}

/** Resolves once the page has been told this. */
function untilError(page: Page, code: string): Promise<unknown> {
  return page.waitForFunction((wanted) => window.heard.errors.some((error) => error.code === wanted), code);
}

async function untilCountedMore(page: Page, ms: number): Promise<void> {
  const countedMs = await page.evaluate(() => window.heard.countedMs);
  await untilCounted(page, countedMs + ms);
}

async function openLesson(): Promise<Page> {
  const page = await browser.newPage();
  await openTracker(page, school, product.url);
  return page;
}

/** Makes the page's camera a canvas, which a test can turn, shrink and hold back; notes each `start` message. */
async function drawCamera(page: Page, size: { widthPx: number; heightPx: number }, isOn: boolean): Promise<void> {
  await page.evaluate(
    ({ size, isOn }) => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      const starts: Meddler['starts'] = [];
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        const message = typeof data === 'string' ? JSON.parse(data) : null;
        if (message?.type === 'start') starts.push(message);
        send.call(this, data);
      };
      navigator.mediaDevices.getUserMedia = async () => {
        const real = Object.assign(document.createElement('video'), { muted: true });
        real.srcObject = await open({ video: true });
        await real.play();
        const canvas = Object.assign(document.createElement('canvas'), { width: size.widthPx, height: size.heightPx });
        const context = canvas.getContext('2d');
        const draw = () => context?.drawImage(real, 0, 0, canvas.width, canvas.height);
        const start = () => setInterval(draw, 50);
        const resize = (width: number, height: number) => Object.assign(canvas, { width, height });
        Object.assign(window, { drawn: { canvas, resize, start } });
        if (isOn) start();
        return canvas.captureStream(20);
      };
      Object.assign(window, { starts });
    },
    { size, isOn },
  );
}

/**
 * The page gets its camera over a connection to itself: where that sends no video, the browser mutes the track, as it does
 * for a call or a locked phone.
 */
async function muteableCamera(page: Page): Promise<void> {
  await page.evaluate(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const camera = await open(constraints);
      const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
      from.onicecandidate = ({ candidate }) => void to.addIceCandidate(candidate ?? undefined);
      to.onicecandidate = ({ candidate }) => void from.addIceCandidate(candidate ?? undefined);
      const negotiate = async () => {
        await from.setLocalDescription();
        await to.setRemoteDescription(from.localDescription as RTCSessionDescription);
        await to.setLocalDescription();
        await from.setRemoteDescription(to.localDescription as RTCSessionDescription);
      };
      const received = new Promise<MediaStream>((resolve) => {
        to.ontrack = ({ track }) => resolve(new MediaStream([track]));
      });
      const [track] = camera.getVideoTracks();
      const transceiver = from.addTransceiver(track as MediaStreamTrack, { direction: 'sendonly' });
      const mute = (isMuted: boolean) => {
        transceiver.direction = isMuted ? 'inactive' : 'sendonly';
        return negotiate();
      };
      Object.assign(window, { mute });
      await negotiate();
      return received;
    };
  });
}

function setMuted(page: Page, isMuted: boolean): Promise<void> {
  return page.evaluate((muted) => (window as unknown as Meddler).mute(muted), isMuted);
}

async function setVisibility(page: Page, state: DocumentVisibilityState): Promise<void> {
  await page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { get: () => now, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

describe('a page that meddles with videos', () => {
  it('pauses every one, and replaces its body: capture continues', async () => {
    const page = await openLesson();
    expect(await initialize(page)).toBe(true);
    await untilCounted(page, 500);
    const found = await page.evaluate(() => {
      const videos = [...document.querySelectorAll('video')];
      for (const video of videos) video.pause();
      document.body.replaceWith(document.createElement('body'));
      return videos.length;
    });
    // It is not found among the page's: some play one video and pause all others.
    expect(found).toBe(0);
    await untilCountedMore(page, 1500);
    await page.evaluate(() => {
      (window as unknown as Meddler).tracker.videoElement.pause();
      document.documentElement.replaceChildren(document.head, document.body);
    });
    await untilCountedMore(page, 2100);
    expect(await errorCodes(page)).toEqual([]);
    expect(await page.evaluate(() => window.heard.untrackedMs)).toBe(0);
    await page.close();
  });

  it('holds the camera’s video: it is told, nothing is counted, and capture resumes with the pictures', async () => {
    const page = await openLesson();
    await initialize(page);
    await untilCounted(page, 1500);
    await page.evaluate(() => {
      const { videoElement } = (window as unknown as Meddler).tracker;
      videoElement.play = () => Promise.reject(new DOMException('held', 'NotAllowedError'));
      videoElement.pause();
    });
    await untilError(page, 'stalled');
    const held = await page.evaluate(() => {
      const { tracker } = window as unknown as Meddler;
      return { reason: tracker.pauseReason, countedMs: window.heard.countedMs };
    });
    expect(held.reason).toBe('camera');
    await setTimeout(2500);
    // What was decided before it stopped may still arrive; the stop itself counts for nothing.
    expect(await page.evaluate(() => window.heard.countedMs)).toBeLessThan(held.countedMs + 1500);
    await page.evaluate(() => {
      Reflect.deleteProperty((window as unknown as Meddler).tracker.videoElement, 'play');
    });
    await untilCountedMore(page, 1000);
    expect(await errorCodes(page)).toEqual(['stalled']);
    await page.close();
  });
});

describe('a camera that is not as expected', () => {
  it('begins with 2×2 pixels: its first real picture is waited for', async () => {
    const page = await openLesson();
    await drawCamera(page, { widthPx: 2, heightPx: 2 }, true);
    const initialized = initialize(page);
    await page.waitForFunction(() => (window as unknown as Meddler).tracker.videoElement?.videoWidth === 2);
    await page.evaluate(() => (window as unknown as Meddler).drawn.resize(640, 480));
    expect(await initialized).toBe(true);
    await untilCounted(page, 1000);
    expect(await errorCodes(page)).toEqual([]);
    const cameras = await page.evaluate(() => (window as unknown as Meddler).starts.map(({ camera }) => camera));
    expect(cameras).toEqual([{ widthPx: 640, heightPx: 480 }]);
    await page.close();
  });

  it('is turned upright, and back: the same session continues with the new size', async () => {
    const page = await openLesson();
    await drawCamera(page, { widthPx: 640, heightPx: 480 }, true);
    await initialize(page);
    await untilCounted(page, 500);
    await page.evaluate(() => (window as unknown as Meddler).drawn.resize(480, 640));
    await page.waitForFunction(() => (window as unknown as Meddler).starts.at(-1)?.camera.heightPx === 640);
    await untilCountedMore(page, 1500);
    await page.evaluate(() => (window as unknown as Meddler).drawn.resize(640, 480));
    await page.waitForFunction(() => (window as unknown as Meddler).starts.at(-1)?.camera.heightPx === 480);
    await untilCountedMore(page, 1000);
    expect(await errorCodes(page)).toEqual([]);
    expect(await page.evaluate(() => window.heard.sessions.length)).toBe(1);
    await page.close();
  });

  it('refuses the wish: any camera is taken', async () => {
    const page = await openLesson();
    await page.evaluate(() => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (constraints) =>
        constraints?.video === true ? open(constraints) : Promise.reject(new OverconstrainedError('width', 'no'));
    });
    expect(await initialize(page)).toBe(true);
    await untilCounted(page, 500);
    await page.close();
  });

  it('gives no picture for long: the student reads that it is waited for, and it counts from its first one', async () => {
    const page = await browser.newPage();
    await page.goto(product.url);
    await drawCamera(page, { widthPx: 640, heightPx: 480 }, false);
    await page.locator('#consent').check();
    await page.locator('#start').click();
    await page.getByText('Waiting for the camera', { exact: true }).waitFor();
    expect(await page.locator('#meaning').textContent()).toMatch(/has not sent a picture yet/);
    await page.evaluate(() => (window as unknown as Meddler).drawn.start());
    await page.waitForFunction(() => (document.getElementById('time-focused')?.textContent ?? '') >= '0:01');
    await page.close();
  });

  it('is unplugged and plugged in again: the student reads it, and capture resumes by itself', async () => {
    const page = await browser.newPage();
    await page.goto(product.url);
    await page.locator('#consent').check();
    await page.locator('#start').click();
    await page.waitForFunction(() => (document.getElementById('time-focused')?.textContent ?? '') >= '0:01');
    await page.evaluate(() => {
      const preview = document.getElementById('preview') as HTMLVideoElement;
      (preview.srcObject as MediaStream).getVideoTracks()[0]?.dispatchEvent(new Event('ended'));
    });
    await page.locator('#notice').waitFor({ state: 'visible' });
    expect(await page.locator('#state').textContent()).toBe('No pictures');
    await page.evaluate(() => navigator.mediaDevices.dispatchEvent(new Event('devicechange')));
    await page.locator('#notice').waitFor({ state: 'hidden' });
    await page.waitForFunction(() => (document.getElementById('time-focused')?.textContent ?? '') >= '0:02');
    await page.close();
  });

  it('is muted, as by a call or on a locked phone: it is told, and capture resumes with its pictures', async () => {
    const page = await openLesson();
    await muteableCamera(page);
    await initialize(page);
    await untilCounted(page, 1000);
    await setMuted(page, true);
    await untilError(page, 'stalled');
    const untilPaused = (reason: string | null) =>
      page.waitForFunction((wanted) => (window as unknown as Meddler).tracker.pauseReason === wanted, reason);
    await untilPaused('camera');
    await setMuted(page, false);
    await untilCountedMore(page, 1000);

    await setVisibility(page, 'hidden');
    await untilPaused('hidden');
    await setMuted(page, true);
    // The phone is unlocked before its camera is back.
    await setVisibility(page, 'visible');
    await untilPaused('camera');
    await setMuted(page, false);
    await untilCountedMore(page, 1000);
    expect(await page.evaluate(() => window.heard.sessions.length)).toBe(1);
    await page.close();
  });

  it('is one of two: the student chooses, and the next page remembers it', async () => {
    const two = await launchChromium({
      args: ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream=device-count=2'],
    });
    try {
      const page = await two.newPage();
      const start = async () => {
        await page.goto(product.url);
        await page.locator('#consent').check();
        await page.locator('#start').click();
        await page.locator('#camera').waitFor({ state: 'visible' });
      };
      await start();
      const options = await page.locator('#camera option').allTextContents();
      expect(options).toHaveLength(2);
      const used = await page.locator('#camera').inputValue();
      const other = await page.locator('#camera option:not(:checked)').getAttribute('value');
      await page.locator('#camera').selectOption(other);
      await page.waitForFunction((before) => {
        const preview = document.getElementById('preview') as HTMLVideoElement;
        const id = (preview.srcObject as MediaStream | null)?.getVideoTracks()[0]?.getSettings().deviceId;
        return id !== undefined && id !== before;
      }, used);
      const chosen = await page.locator('#camera').inputValue();
      expect(chosen).not.toBe(used);
      await start();
      expect(await page.locator('#camera').inputValue()).toBe(chosen);
    } finally {
      await two.close();
    }
  });
});

describe('a device that slept with its page’s clock', () => {
  it('the sleep is untracked, and the clock is the gateway’s again', async () => {
    const page = await openLesson();
    await page.evaluate(() => {
      const read = performance.now.bind(performance);
      let lastMs = read();
      let sleptMs = 0;
      performance.now = () => {
        const nowMs = read();
        if (nowMs - lastMs > 2000) sleptMs += nowMs - lastMs;
        lastMs = nowMs;
        return nowMs - sleptMs;
      };
    });
    await initialize(page);
    await untilCounted(page, 1000);
    const startedAtMs = performance.now() - (await page.evaluate(() => window.heard.countedMs));
    await browser.suspendDuring(() => setTimeout(3500));
    await page.waitForFunction(() => window.heard.sessions.length === 2);
    await untilCountedMore(page, 2000);
    const { countedMs, untrackedMs } = await page.evaluate(() => window.heard);
    expect(untrackedMs).toBeGreaterThan(2500);
    expect(Math.abs(performance.now() - startedAtMs - countedMs)).toBeLessThan(2500);
    await page.close();
  });
});

describe('a page in the background that is to be tracked', () => {
  it('its slow timers do not matter', async () => {
    const page = await browser.newPage();
    await page.addInitScript(() => {
      Object.defineProperty(document, 'hidden', { get: () => true });
      // What Chromium does to a page that has been in the background for five minutes.
      const set = window.setTimeout;
      window.setTimeout = ((callback: () => void, ms: number) => set(callback, Math.max(60_000, ms))) as typeof set;
      HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0;
    });
    await openTracker(page, school, product.url);
    void initialize(page);
    // Not by waitForFunction, whose polling is the page's own slow timers.
    await expect.poll(() => page.evaluate(() => window.heard.countedMs)).toBeGreaterThan(2100);
    expect(await page.evaluate(() => window.heard.untrackedMs)).toBe(0);
    await page.close();
  });
});

describe('what the page around the tracker forbids is told to the student and to its owner', () => {
  it('an <iframe> without allow="camera": the attribute, and a window of its own', async () => {
    const outer = await startPage(`<iframe src="${school.url}"></iframe>`);
    const page = await browser.newPage();
    await page.goto(outer.url);
    const frame = page.frames().find((one) => one.url() === school.url);
    const told = await frame?.evaluate(
      (serverUrl) =>
        new Promise<{ type: string; code: string; message: string }>((resolve) => {
          const tracker = new window.WebcamWebSocket({ serverUrl, onError: (error) => resolve({ ...error }) });
          void tracker.initialize(1, 22, null);
        }),
      product.url,
    );
    expect(told).toMatchObject({ type: 'CAMERA_PERMISSION_DENIED', code: 'embedded' });
    expect(told?.message).toMatch(/Open it in a window of its own.*<iframe> needs allow="camera"/);
    await page.close();
    outer.close();
  });

  async function policyTrouble(policy: string, mode: 'server' | 'device', directive: RegExp): Promise<string> {
    const lesson = await startLesson(product.url, { 'content-security-policy': policy });
    const userId = nextUser++;
    const answer = await fetch(`${product.url}dev/ticket?userId=${userId}&moduleId=22`);
    const { ticket } = (await answer.json()) as { ticket: string };
    const page = await browser.newPage();
    const lines: string[] = [];
    page.on('console', (message) => lines.push(message.text()));
    await page.goto(lesson.url);
    const told = await page.evaluate(
      ({ serverUrl, ticket, mode, userId }) =>
        new Promise<string>((resolve) => {
          const tracker = new window.WebcamWebSocket({
            serverUrl,
            mode,
            getTicket: () => ticket,
            onError: ({ code, message }) => {
              if (code === 'page_policy') resolve(message);
            },
          });
          void tracker.initialize(userId, 22, null);
        }),
      { serverUrl: product.url, ticket, mode, userId },
    );
    expect(lines.some((line) => line.startsWith('gaze-relay: ') && directive.test(line))).toBe(true);
    await page.close();
    lesson.close();
    return told;
  }

  it('connect-src: both addresses of the gateway', async () => {
    const { origin, host } = new URL(product.url);
    const told = await policyTrouble("connect-src 'self'", 'server', /connect-src/);
    expect(told).toContain(`connect-src needs ${origin} and ws://${host}`);
  });

  it('worker-src, where the device is to analyse the pictures', async () => {
    expect(await policyTrouble("worker-src 'self'", 'device', /worker-src/)).toContain('worker-src needs blob:');
  });

  it('WebAssembly, where the device is to analyse the pictures', async () => {
    const { origin } = new URL(product.url);
    const told = await policyTrouble(`script-src ${origin} blob:`, 'device', /wasm/);
    expect(told).toContain("script-src needs 'wasm-unsafe-eval'");
  });
});
