import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { CHROMIUM, ensureProgram } from './debian-packages.ts';

const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Rate at which Chromium plays a Motion-JPEG file as a camera, whatever rate it was recorded at. */
export const FAKE_CAMERA_FPS = 30;

export interface ChromiumOptions {
  /** Motion-JPEG file that plays as the camera, looped (see expandMjpeg); permission is given unasked. */
  readonly clipPath?: string;
  /** More command line switches. */
  readonly args?: readonly string[];
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
}

export interface LaunchedChromium {
  readonly context: BrowserContext;
  newPage(): Promise<Page>;
  /** Stops all its processes, as a computer does that is put to sleep, for as long as `sleep` takes. Linux alone. */
  suspendDuring(sleep: () => Promise<void>): Promise<void>;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/**
 * Starts Chromium (or Chrome) without a window, with a profile of its own. Throws, saying what to
 * install, when there is none and it cannot be installed.
 */
export async function launchChromium(options: ChromiumOptions = {}): Promise<LaunchedChromium> {
  const executablePath = ensureProgram(CHROMIUM);
  const profile = await mkdtemp(join(tmpdir(), 'gaze-relay-chromium-'));
  const camera =
    options.clipPath === undefined
      ? []
      : [
          '--use-fake-ui-for-media-stream',
          '--use-fake-device-for-media-stream',
          `--use-file-for-fake-video-capture=${options.clipPath}`,
        ];
  // Chromium refuses to run its sandbox as root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [...ARGS, ...sandbox, ...camera, ...(options.args ?? [])],
    viewport: options.viewport ?? { width: 1280, height: 800 },
    colorScheme: options.colorScheme ?? 'light',
  });
  return {
    context,
    newPage: () => context.newPage(),
    suspendDuring: async (sleep) => {
      const group = -(await browserPid(profile));
      process.kill(group, 'SIGSTOP');
      try {
        await sleep();
      } finally {
        process.kill(group, 'SIGCONT');
      }
    },
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Process id of the browser with this profile, the leader of its group. */
async function browserPid(profile: string): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(`--user-data-dir=${profile}`) && !command.includes('--type=')) return Number(entry);
  }
  throw new Error(`no browser runs with the profile ${profile}`);
}

/** A clip that Chromium plays in real time as its camera. */
export interface FakeCameraClip {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Writes JPEG frames recorded at `fromFps` as a Motion-JPEG file for launchChromium's `clipPath`.
 * Each frame is repeated so often that it lasts as long as it did, to within one camera frame.
 */
export async function expandMjpeg(frames: readonly Uint8Array[], fromFps: number): Promise<FakeCameraClip> {
  const parts: Uint8Array[] = [];
  for (const [index, frame] of frames.entries()) {
    const until = Math.round(((index + 1) * FAKE_CAMERA_FPS) / fromFps);
    while (parts.length < until) parts.push(frame);
  }
  const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-clip-'));
  const path = join(folder, 'camera.mjpeg');
  await writeFile(path, Buffer.concat(parts));
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
