import type { LaunchedChromium } from '../../harness/chromium.ts';
import { type Lesson, startLesson } from '../../harness/lesson.ts';
import { drive, newProbedPage, type TestPage } from './probe-page.ts';

/**
 * Runs in the page before any script of it: every WebSocket and every POST of the stream tells the probe what went over
 * it. Reads the hot path by the offsets of PROTOCOL.md, so that nothing of the client need be opened for it.
 */
function watchStream(): void {
  const answers: object[] = [];
  const probe = { answers, startedAtMs: 0, mode: null as string | null };
  Object.assign(window, { probe });

  class Connection {
    /** Page time at capture clock 0, and which messages in flight are late ones. */
    #originMs: number | null = null;
    readonly #late = new Set<number>();

    control(message: { type: string; atMs?: number; mode?: string }): void {
      if (message.type !== 'start' || message.atMs === undefined) return;
      this.#originMs = performance.now() - message.atMs;
      probe.mode = message.mode ?? null;
    }

    picture(view: DataView): void {
      const isLate = (view.getUint8(1) & 4) !== 0;
      const seq = view.getUint16(2);
      if (isLate) this.#late.add(seq);
      else this.#late.delete(seq);
    }

    answer(view: DataView): void {
      if (this.#originMs === null || view.byteLength !== 44) return;
      const [focused, unfocused, unknown, untracked] = [12, 16, 20, 24].map((at) => view.getUint32(at)) as [
        number,
        number,
        number,
        number,
      ];
      answers.push({
        atMs: performance.now(),
        capturedAtMs: this.#originMs + view.getUint32(4),
        isObservation: view.getUint8(1) === 0,
        isLate: this.#late.has(view.getUint16(2)),
        totalMs: { untracked, all: focused + unfocused + unknown + untracked },
      });
    }
  }

  const Original = window.WebSocket;
  class WatchedWebSocket extends Original {
    readonly #connection = new Connection();

    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer) this.#connection.answer(new DataView(data));
      });
    }

    override send(data: string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBuffer>): void {
      if (typeof data === 'string') this.#connection.control(JSON.parse(data));
      else if (ArrayBuffer.isView(data))
        this.#connection.picture(new DataView(data.buffer, data.byteOffset, data.byteLength));
      super.send(data as ArrayBuffer);
    }
  }
  window.WebSocket = WatchedWebSocket;

  /** Parts of a body, H-2. */
  const eachPart = (bytes: Uint8Array, onText: (text: string) => void, onBinary: (view: DataView) => void): void => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = view.getUint8(1) + 4; at < bytes.byteLength; ) {
      const content = bytes.subarray(at + 4, at + 4 + (view.getUint32(at) & 0xff_ffff));
      const kind = view.getUint8(at);
      if (kind === 0) onText(new TextDecoder().decode(content));
      if (kind === 1) onBinary(new DataView(content.buffer, content.byteOffset, content.byteLength));
      at += 4 + content.byteLength;
    }
  };
  const connection = new Connection();
  const original = window.fetch;
  window.fetch = async (input, init) => {
    if (!(init?.body instanceof Uint8Array)) return original(input, init);
    eachPart(
      init.body,
      (text) => connection.control(JSON.parse(text)),
      (view) => connection.picture(view),
    );
    const response = await original(input, init);
    const bytes = new Uint8Array(await response.clone().arrayBuffer());
    eachPart(
      bytes,
      () => {},
      (view) => connection.answer(view),
    );
    return response;
  };
}

let users = 0;

/** A page of `lesson` that tracks over `serverUrl`, as a new student each time. */
export async function openOurPage(
  browser: LaunchedChromium,
  lesson: Lesson,
  serverUrl: string,
  mode: 'server' | 'device',
  transport: 'websocket' | 'post' = 'websocket',
): Promise<TestPage> {
  const user = ++users;
  const page = await newProbedPage(browser);
  page.on('console', (message) => {
    if (message.type() === 'error') process.stderr.write(`${serverUrl}: ${message.text()}\n`);
  });
  await page.addInitScript(watchStream);
  await page.goto(lesson.url);
  // As after an earlier page that found no WebSocket to get through.
  if (transport === 'post') await page.evaluate(rememberPosts, new URL(serverUrl).origin);
  await page.evaluate(prepareDropIn, { serverUrl, mode, user });
  return drive(page);
}

/** Runs in the page. */
function prepareDropIn({ serverUrl, mode, user }: { serverUrl: string; mode: string; user: number }): void {
  interface DropIn {
    initialize(user: number, module: number, section: number): Promise<boolean>;
  }
  const { WebcamWebSocket, probe } = window as unknown as {
    WebcamWebSocket: new (options: object) => DropIn;
    probe: { startedAtMs: number };
  };
  const tracker = new WebcamWebSocket({
    serverUrl,
    mode,
    onError: ({ code, message }: { code: string; message: string }) => console.error(code, message),
  });
  const beginTracking = () => {
    probe.startedAtMs = performance.now();
    return tracker.initialize(user, 1, 1);
  };
  Object.assign(window, { tracker, beginTracking });
}

/** Runs in the page. */
function rememberPosts(origin: string): void {
  localStorage.setItem(`gaze-relay:post:${origin}`, JSON.stringify({ atMs: Date.now(), network: '' }));
}

/** How long a student waits who comes for the first time: from navigation to the first observation, ms. */
export async function firstObservationMs(browser: LaunchedChromium, serverUrl: string): Promise<number> {
  const lesson = await startLesson(serverUrl);
  const page = await newProbedPage(browser);
  try {
    await page.addInitScript(watchStream);
    await page.addInitScript(trackAtOnce, { serverUrl, user: ++users });
    await page.goto(lesson.url, { waitUntil: 'commit' });
    const first = await page.waitForFunction(() => {
      const { answers } = (window as unknown as { probe: { answers: { atMs: number; isObservation: boolean }[] } })
        .probe;
      return answers.find(({ isObservation }) => isObservation)?.atMs;
    });
    return Math.round(Number(await first.jsonValue()));
  } finally {
    await page.close();
    lesson.close();
  }
}

/** Runs in the page: tracking begins as soon as the script is there. */
function trackAtOnce({ serverUrl, user }: { serverUrl: string; user: number }): void {
  document.addEventListener('DOMContentLoaded', () => {
    const { WebcamWebSocket } = window as unknown as { WebcamWebSocket: new (options: object) => never };
    const tracker: { initialize(user: number, module: number, section: number): void } = new WebcamWebSocket({
      serverUrl,
      mode: 'server',
    });
    tracker.initialize(user, 1, 1);
  });
}
