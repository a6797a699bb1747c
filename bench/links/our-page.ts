import type { LaunchedChromium } from '../../harness/chromium.ts';
import type { Lesson } from '../../harness/lesson.ts';
import { drive, newProbedPage, type TestPage } from './probe-page.ts';

/**
 * Runs in the page before any script of it: every WebSocket tells the probe what went over it. Reads
 * the hot path by the offsets of PROTOCOL.md, so that nothing of the client need be opened for it.
 */
function watchSockets(): void {
  const answers: object[] = [];
  const probe = { answers, startedAtMs: 0, mode: null as string | null };
  Object.assign(window, { probe });
  const Original = window.WebSocket;
  class WatchedWebSocket extends Original {
    /** Page time at capture clock 0, and which messages in flight are late ones. */
    #originMs: number | null = null;
    readonly #late = new Set<number>();

    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer) this.#answer(new DataView(data));
      });
    }

    override send(data: string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBuffer>): void {
      if (typeof data === 'string') this.#control(JSON.parse(data));
      else if (ArrayBuffer.isView(data)) this.#picture(new DataView(data.buffer, data.byteOffset, data.byteLength));
      else if (data instanceof ArrayBuffer) this.#picture(new DataView(data));
      super.send(data as ArrayBuffer);
    }

    #control(message: { type: string; atMs?: number; mode?: string }): void {
      if (message.type !== 'start' || message.atMs === undefined) return;
      this.#originMs = performance.now() - message.atMs;
      probe.mode = message.mode ?? null;
    }

    #picture(view: DataView): void {
      const isLate = (view.getUint8(1) & 4) !== 0;
      const seq = view.getUint16(2);
      if (isLate) this.#late.add(seq);
      else this.#late.delete(seq);
    }

    #answer(view: DataView): void {
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
  window.WebSocket = WatchedWebSocket;
}

let users = 0;

/** A page of `lesson` that tracks over `serverUrl`, as a new student each time. */
export async function openOurPage(
  browser: LaunchedChromium,
  lesson: Lesson,
  serverUrl: string,
  mode: 'server' | 'device',
): Promise<TestPage> {
  const user = ++users;
  const page = await newProbedPage(browser);
  page.on('console', (message) => {
    if (message.type() === 'error') process.stderr.write(`${serverUrl}: ${message.text()}\n`);
  });
  await page.addInitScript(watchSockets);
  await page.goto(lesson.url);
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
