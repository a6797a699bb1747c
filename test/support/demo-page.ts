import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import type { DrivenPage } from '../../harness/driven-page.ts';
import { type ClientMessage, decodeClientMessage } from '../../shared/protocol/frames.ts';

/** Long enough for a second of answers, and from where the clip's man looks at his screen. */
const FRAMES = CLIP_FRAMES.slice(0, 60);

interface PageSeen {
  /** What the page sent over WebSockets in binary, base64. */
  messages: string[];
  /** Size of the camera's pictures in each `start` message. */
  cameras: { widthPx: number; heightPx: number }[];
}

type SeenWindow = typeof globalThis & { seen: PageSeen; camera: HTMLCanvasElement };

export interface DemoPageOptions {
  /** Globals that this browser is to be without. */
  readonly without?: readonly string[];
  /** As after an earlier page that found no WebSocket to get through. */
  readonly posts?: boolean;
}

/** Lets the demo page track: the clip is its camera, and what it sends is written down. */
export async function trackDemoPage(page: DrivenPage, options: DemoPageOptions = {}): Promise<void> {
  const jpegs = FRAMES.map((frame) => Buffer.from(frame).toString('base64'));
  const { without = [], posts = false } = options;
  await page.evaluate(
    async ({ jpegs, fps, without, posts }) => {
      const seen: PageSeen = { messages: [], cameras: [] };
      Object.assign(window, { seen });
      for (const name of without) Reflect.deleteProperty(window, name);
      const key = `gaze-relay:post:${location.origin}`;
      if (posts) localStorage.setItem(key, JSON.stringify({ atMs: Date.now(), network: '' }));
      else localStorage.removeItem(key);
      const bitmaps = await Promise.all(
        jpegs.map((jpeg) => {
          const bytes = Uint8Array.from(atob(jpeg), (character) => character.charCodeAt(0));
          return createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
        }),
      );
      // Of its prototype: WebKit may forget what is set on the object itself, at its next collection of garbage.
      MediaDevices.prototype.getUserMedia = async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
        Object.assign(window, { camera: canvas });
        const context = canvas.getContext('2d');
        let next = 0;
        const draw = () => {
          // A camera that is turned shows its middle, as high as before.
          const picture = bitmaps[next++ % bitmaps.length] as ImageBitmap;
          context?.drawImage(picture, (canvas.width - 640) / 2, (canvas.height - 480) / 2, 640, 480);
        };
        draw();
        setInterval(draw, 1000 / fps);
        return canvas.captureStream(fps);
      };
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (data instanceof Uint8Array) seen.messages.push(btoa(String.fromCharCode(...data)));
        const message = typeof data === 'string' ? JSON.parse(data) : null;
        if (message?.type === 'start') seen.cameras.push(message.camera);
        send.call(this, data);
      };
    },
    { jpegs, fps: CLIP_FPS, without, posts },
  );
  await page.evaluate(() => {
    document.getElementById('consent')?.click();
    document.getElementById('start')?.click();
  }, null);
  await page.until(() => document.getElementById('during')?.hidden === false, null);
}

/** Resolves once the page shows at least so much focused time, as `m:ss`. */
export function untilFocused(page: DrivenPage, time: string): Promise<void> {
  return page.until((least) => (document.getElementById('time-focused')?.textContent ?? '0:00') >= least, time);
}

/** What the page has sent once it counts focused time and has sent a few messages: a busy machine sends few a second. */
export async function messagesOf(page: DrivenPage): Promise<ClientMessage[]> {
  await untilFocused(page, '0:02');
  await page.until(() => (window as unknown as SeenWindow).seen.messages.length >= 8, null);
  const messages = await page.evaluate(() => (window as unknown as SeenWindow).seen.messages, null);
  return messages.map((message) => decodeClientMessage(Buffer.from(message, 'base64')));
}

/** Binary messages that went over WebSockets. */
export function sentBySocket(page: DrivenPage): Promise<number> {
  return page.evaluate(() => (window as unknown as SeenWindow).seen.messages.length, null);
}

/** Turns the camera upright. Resolves once the page has announced the new size. */
export async function turnCamera(page: DrivenPage): Promise<void> {
  await page.evaluate(() => {
    Object.assign((window as unknown as SeenWindow).camera, { width: 480, height: 640 });
  }, null);
  await page.until(() => (window as unknown as SeenWindow).seen.cameras.at(-1)?.heightPx === 640, null);
}

/** Answered POSTs of the stream. */
export function postsOf(page: DrivenPage): Promise<number> {
  return page.evaluate(
    () => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/v1/stream')).length,
    null,
  );
}
