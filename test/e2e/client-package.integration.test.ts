import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GazeRelayElement } from '../../client/element.ts';
import { expandMjpeg, launchChromium } from '../../harness/chromium.ts';
import { CLIP_FPS, CLIP_FRAMES } from '../../harness/clip.ts';
import { startProduct } from '../../harness/product.ts';
import { packFolder, writeClientPackage } from '../../scripts/build-package.ts';

let folder: string;
let archive: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gaze-relay-client-'));
  await writeClientPackage(folder);
  archive = await packFolder(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the client as an npm package', () => {
  it('is as publint has it, warnings and suggestions included', async () => {
    const { messages } = await publint({ pkgDir: folder, strict: true, pack: false });
    expect(messages).toEqual([]);
  });

  it('has types that an ES module finds, in bundlers and in Node', async () => {
    const result = await checkPackage(createPackageFromTarballData(await readFile(archive)));
    if (result.types === false) throw new Error('the package has no types');
    // It is for ES modules alone: what CommonJS would make of it is no fault.
    const faults = result.problems.filter(
      (problem) => !('resolutionKind' in problem && ['node10', 'node16-cjs'].includes(problem.resolutionKind)),
    );
    expect(faults.filter(({ kind }) => kind !== 'CJSResolvesToESM')).toEqual([]);
  });

  it('holds modules, types, licence and notice, and nothing else', async () => {
    const { stdout } = await promisify(execFile)('tar', ['-tzf', archive]);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((name) => basename(name))
        .sort(),
    ).toEqual([
      'LICENSE',
      'NOTICE',
      'README.md',
      'element.d.ts',
      'element.js',
      'index.d.ts',
      'index.js',
      'package.json',
      'shared.js',
    ]);
  });

  it('has an element that tracks while it is in a page, also where it is moved in it', async () => {
    const product = await startProduct();
    const clip = await expandMjpeg(CLIP_FRAMES.slice(0, 60), CLIP_FPS);
    const browser = await launchChromium({ clipPath: clip.path });
    const server = createServer((request, response) => {
      const name = basename(request.url ?? '');
      response.setHeader('content-type', name.endsWith('.js') ? 'text/javascript' : 'text/html');
      if (name.endsWith('.js'))
        readFile(join(folder, name)).then(
          (file) => response.end(file),
          () => response.end(),
        );
      else response.end('<!doctype html><div id="here"></div><script type="module" src="/element.js"></script>');
    }).listen(0, '127.0.0.1');
    try {
      const page = await browser.newPage();
      await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
      await page.evaluate((serverUrl) => {
        const seen = { updates: 0, sections: [] as unknown[] };
        const element = document.createElement('gaze-relay');
        element.setAttribute('server-url', serverUrl);
        element.setAttribute('user-id', '7');
        element.setAttribute('module-id', '22');
        element.addEventListener('tracking', () => seen.updates++);
        Object.assign(window, { seen, element });
        document.body.append(element);
      }, product.url);
      const updates = () => page.evaluate(() => (window as unknown as { seen: { updates: number } }).seen.updates);
      const tracked = async () => {
        const before = await updates();
        await expect.poll(updates).toBeGreaterThan(before + 2);
      };
      await tracked();
      const camera = () =>
        page.evaluate(() => (window as unknown as { element: GazeRelayElement }).element.tracker?.stream?.id ?? null);
      const before = await camera();
      await page.evaluate(() => {
        const { element } = window as unknown as { element: HTMLElement };
        document.getElementById('here')?.append(element);
        element.setAttribute('section-id', '83');
      });
      await tracked();
      expect(await camera()).toBe(before);
      await page.evaluate(() => (window as unknown as { element: HTMLElement }).element.remove());
      await expect.poll(camera).toBeNull();
    } finally {
      server.close();
      await browser.close();
      await clip.remove();
      await product.stop();
    }
  });
});
