import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { type LaunchedChromium, launchChromium } from './chromium.ts';

const PACKAGE_DIR = dirname(createRequire(import.meta.url).resolve('@mediapipe/face_mesh/package.json'));
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

const PAGE = `<!doctype html><canvas></canvas><script src="/face_mesh.js"></script><script>
  async function landmarksOf(width, height, base64) {
    const canvas = document.querySelector('canvas');
    canvas.width = width;
    canvas.height = height;
    const bytes = Uint8ClampedArray.from(atob(base64), (c) => c.charCodeAt(0));
    canvas.getContext('2d').putImageData(new ImageData(bytes, width, height), 0, 0);
    // A fresh instance: nothing of the picture before may steer this one.
    const mesh = new FaceMesh({ locateFile: (file) => '/' + file });
    mesh.setOptions({ maxNumFaces: 1, refineLandmarks: true, useCpuInference: true, selfieMode: false });
    const result = await new Promise((resolve, reject) => {
      mesh.onResults((results) => resolve(results.multiFaceLandmarks));
      mesh.send({ image: canvas }).catch(reject);
    });
    const faces = result.map((face) => face.flatMap((point) => [point.x, point.y, point.z]));
    await mesh.close();
    return faces;
  }
  let tracker = null;
  let canvases = [];
  async function prepare(jpegs) {
    for (const jpeg of jpegs) {
      const bitmap = await createImageBitmap(await (await fetch('data:image/jpeg;base64,' + jpeg)).blob());
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.getContext('2d').drawImage(bitmap, 0, 0);
      canvases.push(canvas);
    }
    tracker = new FaceMesh({ locateFile: (file) => '/' + file });
    tracker.setOptions({ maxNumFaces: 1, refineLandmarks: true, useCpuInference: true, selfieMode: false });
    await tracker.initialize();
  }
  async function msPerFrame() {
    let faces = 0;
    tracker.onResults((results) => { faces += results.multiFaceLandmarks.length; });
    const started = performance.now();
    for (const image of canvases) await tracker.send({ image });
    const spent = (performance.now() - started) / canvases.length;
    if (faces !== canvases.length) throw new Error('MediaPipe lost the face');
    return spent;
  }
</script>`;

function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (path === sep) {
      response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
      return;
    }
    readFile(join(PACKAGE_DIR, path)).then(
      (bytes) =>
        response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** MediaPipe's own build of the face mesh, in Chromium, from the files of the npm package. */
export interface MediapipePage {
  /** Landmarks of the faces in an RGBA picture: x and y over its width and height, z over its width. */
  landmarksOf(rgba: Uint8Array, widthPx: number, heightPx: number): Promise<number[][]>;
  /** Keeps pictures (JPEG) and one tracking instance for msPerFrame. */
  prepare(jpegs: readonly Uint8Array[]): Promise<void>;
  /** Wall time over the kept pictures; each must hold the face that the one before it had. */
  msPerFrame(): Promise<number>;
  close(): Promise<void>;
}

/** What the page's script defines. */
interface PageFunctions {
  landmarksOf(width: number, height: number, base64: string): Promise<number[][]>;
  prepare(jpegs: readonly string[]): Promise<void>;
  msPerFrame(): Promise<number>;
}

/** Starts Chromium and a server of the package's files on a free port. */
export async function openMediapipe(): Promise<MediapipePage> {
  const server = await serve();
  let browser: LaunchedChromium | null = null;
  try {
    // Its pictures go through WebGL, which needs a renderer in software.
    browser = await launchChromium({ args: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'] });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const opened = browser;
    return {
      landmarksOf: (rgba, widthPx, heightPx) =>
        page.evaluate(
          ([width, height, base64]) => (globalThis as unknown as PageFunctions).landmarksOf(width, height, base64),
          [widthPx, heightPx, Buffer.from(rgba).toString('base64')] as const,
        ),
      prepare: (jpegs) =>
        page.evaluate(
          (pictures) => (globalThis as unknown as PageFunctions).prepare(pictures),
          jpegs.map((jpeg) => Buffer.from(jpeg).toString('base64')),
        ),
      msPerFrame: () => page.evaluate(() => (globalThis as unknown as PageFunctions).msPerFrame()),
      close: async () => {
        await opened.close();
        server.close();
      },
    };
  } catch (error) {
    await browser?.close();
    server.close();
    throw error;
  }
}
