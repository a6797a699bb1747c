import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts';
import { type LaunchedWebkit, launchWebkit } from '../../harness/webkit.ts';

const ASSETS = fileURLToPath(new URL('../../dist/client/device', import.meta.url));

let gateway: TestGateway;
let browser: LaunchedWebkit;

beforeAll(async () => {
  gateway = await startTestGateway();
  browser = await launchWebkit();
});

afterAll(async () => {
  await browser?.close();
  await gateway?.dispose();
});

describe('in WebKit, which draws whole frames where parts are asked for', () => {
  it('the capture worker finds that out on a known picture, and that WebP is not encoded', async () => {
    const name = (await readdir(ASSETS)).find((file) => /^capture-.*\.js$/.test(file));
    const page = await browser.openPage(`${gateway.url}healthz`);
    const ready = await page.evaluate(
      (path) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(path);
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        }),
      `/device/${name}`,
    );
    expect(ready).toEqual({ type: 'ready', webp: false, crops: false });
    await page.close();
  });
});
