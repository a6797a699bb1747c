import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launchChromium } from '../../../harness/chromium.ts';
import { multiply, rotationFromForward, rotationOfHead, type Vec3 } from '../../../shared/vision/linear.ts';
import { focalLengthPx } from '../../../shared/vision/pose.ts';
import type {} from './page.ts';
import type { RenderJob, Scene } from './scene.ts';
import { FRAME } from './scene.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Where the head is and how it is turned for the camera, from where it is seen and how it is turned against the line of sight. */
export function renderJobOf(scene: Scene): RenderJob {
  const focalPx = focalLengthPx(FRAME, scene.diagonalFovDeg);
  const ray: Vec3 = [(scene.across * FRAME.widthPx) / 2 / focalPx, (scene.up * FRAME.heightPx) / 2 / focalPx, -1];
  const metres = scene.distanceCm / 100;
  const turn = rotationFromForward([-ray[0], -ray[1], -ray[2]]);
  return {
    ...scene,
    place: [ray[0] * metres, ray[1] * metres, ray[2] * metres],
    rotation: multiply(turn, rotationOfHead(scene.headYawDeg, scene.headPitchDeg, scene.headRollDeg)),
  };
}

async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'bench/accuracy/synthetic/page.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

/** Draws scenes in a browser. */
interface Studio {
  draw(scene: Scene): Promise<Uint8Array>;
  close(): Promise<void>;
}

async function openStudio(page: string, glb: Uint8Array): Promise<Studio> {
  const browser = await launchChromium({
    args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
  });
  try {
    const tab = await browser.newPage();
    await tab.setContent('<!doctype html><title>render</title>');
    await tab.addScriptTag({ content: page });
    await tab.evaluate((glbBase64) => window.renderPage.load(glbBase64), Buffer.from(glb).toString('base64'));
    return {
      draw: async (scene) => {
        const base64 = await tab.evaluate((job) => window.renderPage.render(job), renderJobOf(scene));
        return Buffer.from(base64, 'base64');
      },
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/**
 * JPEG frames of scenes, in their order; the next one is drawn while one is in the caller's hands. Frames
 * are kept in .cache/accuracy by what they are made from, so that only new scenes are drawn, and without
 * new ones no browser is needed. Throws when the head or the browser fails.
 */
export async function* renderScenes(glb: Uint8Array, scenes: readonly Scene[]): AsyncGenerator<Uint8Array> {
  const page = await bundlePage();
  const base = createHash('sha256').update(page).update(glb).digest('hex');
  const folder = join(root, '.cache', 'accuracy', base.slice(0, 16));
  await mkdir(folder, { recursive: true });
  let studio: Studio | null = null;
  const frameOf = async (scene: Scene): Promise<Uint8Array> => {
    const name = createHash('sha256').update(JSON.stringify(scene)).digest('hex').slice(0, 20);
    const file = join(folder, `${name}.jpg`);
    const kept = await readFile(file).catch(() => null);
    if (kept !== null) return kept;
    studio ??= await openStudio(page, glb);
    const drawn = await studio.draw(scene);
    await writeFile(file, drawn);
    return drawn;
  };
  try {
    const [first, ...others] = scenes;
    let next = first === undefined ? null : frameOf(first);
    for (const scene of [...others, null]) {
      if (next === null) return;
      const frame = await next;
      next = scene === null ? null : frameOf(scene);
      // A consumer that stops early leaves one frame pending; its rejection must not be unhandled.
      next?.catch(() => {});
      yield frame;
    }
  } finally {
    await (studio as Studio | null)?.close();
  }
}
