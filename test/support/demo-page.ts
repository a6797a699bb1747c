import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import type { DrivenPage } from '../../harness/driven-page.ts';
import { type ClientMessage, decodeClientMessage } from '../../shared/protocol/frames.ts';

/** Long enough for a second of answers, and from where the clip's man looks at his screen. */
const FRAMES = CLIP_FRAMES.slice(0, 60);

interface PageSeen {
  /** What the page sent in binary, base64. */
  messages: string[];
}

/** Lets the demo page track: the clip is its camera, and what it sends is written down. */
export async function trackDemoPage(page: DrivenPage): Promise<void> {
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
}

/** What the page has sent once it counts focused time and has sent a few messages: a busy machine sends few a second. */
export async function messagesOf(page: DrivenPage): Promise<ClientMessage[]> {
  await page.until(() => (document.getElementById('time-focused')?.textContent ?? '0:00') >= '0:02', null);
  await page.until(() => (window as unknown as { seen: { messages: string[] } }).seen.messages.length >= 8, null);
  const messages = await page.evaluate(() => (window as unknown as { seen: PageSeen }).seen.messages, null);
  return messages.map((message) => decodeClientMessage(Buffer.from(message, 'base64')));
}
