import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChromiumOptions, launchChromium } from '../../harness/chromium.ts';
import { type Lesson, startLesson } from '../../harness/lesson.ts';
import { type Product, startProduct } from '../../harness/product.ts';

const PERMITTED = '--use-fake-ui-for-media-stream';

interface Trouble {
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

let product: Product;
let school: Lesson;

beforeAll(async () => {
  product = await startProduct();
  school = await startLesson(product.url);
});

afterAll(async () => {
  school?.close();
  await product?.stop();
});

/** What a browser does where another program holds the camera; Chromium's fake camera is never busy. */
function refuseCamera(): void {
  navigator.mediaDevices.getUserMedia = () =>
    Promise.reject(new DOMException('Could not start video source', 'NotReadableError'));
}

/** What the demo page shows a student whose camera does not start. */
async function troubleOnPage(
  options: ChromiumOptions,
  prepare: () => void = () => {},
): Promise<{ title: string; text: string }> {
  const browser = await launchChromium(options);
  try {
    const page = await browser.newPage();
    await page.addInitScript(prepare);
    await page.goto(product.url);
    await page.locator('#consent').check();
    await page.locator('#start').click();
    await page.locator('#trouble').waitFor({ state: 'visible' });
    expect(await page.locator('#start').isEnabled()).toBe(true);
    return {
      title: (await page.locator('#trouble-title').textContent()) ?? '',
      text: (await page.locator('#trouble-text').textContent()) ?? '',
    };
  } finally {
    await browser.close();
  }
}

describe('a camera that does not start is explained, with what to do', () => {
  it('permission denied', async () => {
    const { title, text } = await troubleOnPage({ args: ['--use-fake-device-for-media-stream'] });
    expect(title).toBe('The camera is not allowed');
    expect(text).toMatch(/Allow the camera for this page.*try again/);
  });

  it('no camera', async () => {
    const { title, text } = await troubleOnPage({ args: [PERMITTED] });
    expect(title).toBe('No camera');
    expect(text).toMatch(/Connect one/);
  });

  it('a camera that another program has', async () => {
    const { title, text } = await troubleOnPage({ args: [PERMITTED] }, refuseCamera);
    expect(title).toBe('The camera is busy');
    expect(text).toMatch(/Close video calls and camera apps/);
  });

  it('a page that is not secure: the old error type, and the way out', async () => {
    const browser = await launchChromium({ args: [PERMITTED, '--host-resolver-rules=MAP school.test 127.0.0.1'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://school.test:${new URL(school.url).port}/`);
      const trouble = await page.evaluate(async (serverUrl) => {
        const { WebcamWebSocket } = window as unknown as {
          WebcamWebSocket: new (options: object) => { initialize(user: number, module: number): Promise<boolean> };
        };
        const seen: Trouble[] = [];
        const started = await new WebcamWebSocket({
          serverUrl,
          onError: (error: Trouble) => seen.push({ ...error }),
        }).initialize(1, 1);
        return { started, seen };
      }, product.url);
      expect(trouble.started).toBe(false);
      expect(trouble.seen).toEqual([
        { type: 'CAMERA_ERROR', code: 'insecure', message: expect.stringMatching(/https:\/\//) },
      ]);
    } finally {
      await browser.close();
    }
  });
});
