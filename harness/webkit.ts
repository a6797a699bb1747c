import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureProgram, WEBKIT_DRIVER, XVFB } from './debian-packages.ts';
import type { DrivenPage } from './driven-page.ts';
import { freePort } from './free-port.ts';

/** The browser that Debian's package of the driver brings, by architecture. */
const MINI_BROWSERS = ['x86_64', 'aarch64'].map((name) => `/usr/lib/${name}-linux-gnu/webkit2gtk-4.1/MiniBrowser`);
const POLL_MS = 50;
const SCRIPT_TIMEOUT_MS = 60_000;
/** A driver that does not answer is stuck, which happens when its browser is. */
const COMMAND_TIMEOUT_MS = 90_000;
const CLOSE_TIMEOUT_MS = 5000;

/**
 * `visit` and `back` navigate by the driver's own commands. A script cannot do it: one that is running when its page enters the
 * back-forward cache never returns its result.
 */
export interface WebkitPage extends DrivenPage {
  visit(url: string): Promise<void>;
  back(): Promise<void>;
}

export interface LaunchedWebkit {
  openPage(url: string): Promise<WebkitPage>;
  close(): Promise<void>;
}

/**
 * Starts WebKitGTK on a screen of its own, driven by W3C WebDriver. It shares its engine with Safari and every browser on
 * iOS; cameras, sound sessions and life in the background are those of this machine, not of a phone. One page at a time.
 * Throws, saying what to install, when there is none and it cannot be installed.
 */
export async function launchWebkit(): Promise<LaunchedWebkit> {
  const driverProgram = ensureProgram(WEBKIT_DRIVER);
  const binary = MINI_BROWSERS.find((path) => existsSync(path));
  if (binary === undefined) throw new Error(`${WEBKIT_DRIVER.package} brought no MiniBrowser`);
  const home = await mkdtemp(join(tmpdir(), 'gaze-relay-webkit-'));
  // The screen says its number on file descriptor 3 when it is ready.
  const screen = spawn(ensureProgram(XVFB), ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const numbers = screen.stdio[3];
  if (numbers === null || numbers === undefined) throw new Error('Xvfb was started without its answer');
  const [number] = (await once(numbers, 'data')) as [Buffer];
  const port = await freePort();
  const driver = spawn(driverProgram, ['--host=127.0.0.1', `--port=${port}`], {
    stdio: 'ignore',
    detached: true,
    env: {
      ...process.env,
      HOME: home,
      XDG_RUNTIME_DIR: home,
      DISPLAY: `:${String(number).trim()}`,
      // Not WEBKIT_DISABLE_COMPOSITING_MODE: without compositing a video's thread waits for the page's to draw, and a page
      // that stops or leaves the video waits for that thread, both for ever.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      NO_AT_BRIDGE: '1',
    },
  });
  const ended = once(driver, 'exit');

  const command = async (
    method: string,
    path: string,
    body?: object,
    timeoutMs = COMMAND_TIMEOUT_MS,
  ): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const { value } = (await response.json()) as { value: unknown };
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  };
  while (
    !(await command('GET', '/status').then(
      () => true,
      () => false,
    ))
  ) {
    await delay(POLL_MS);
  }
  const args = [
    '--automation',
    '--enable-media-stream=true',
    '--enable-mock-capture-devices=true',
    '--autoplay-policy=allow',
  ];
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args } } };
  const { sessionId } = (await command('POST', '/session', { capabilities })) as { sessionId: string };
  const session = `/session/${sessionId}`;
  await command('POST', `${session}/timeouts`, { script: SCRIPT_TIMEOUT_MS });

  const evaluate: DrivenPage['evaluate'] = async (work, argument) => {
    // Compiled tests may name inner functions through a helper that pages do not have.
    const script = `const done = arguments[arguments.length - 1]; const __name = (named) => named;
      Promise.resolve().then(() => (${work})(${JSON.stringify(argument)}))
        .then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const result = (await command('POST', `${session}/execute/async`, { script, args: [] })) as {
      value?: never;
      error?: string;
    };
    if (result.error !== undefined) throw new Error(result.error);
    return result.value as never;
  };
  const visit = async (url: string): Promise<void> => {
    await command('POST', `${session}/url`, { url });
  };
  return {
    openPage: async (url) => {
      await visit(url);
      return {
        visit,
        back: async () => {
          await command('POST', `${session}/back`, {});
        },
        evaluate,
        until: async (isTrue, argument) => {
          while (!(await evaluate(isTrue, argument))) await delay(POLL_MS);
        },
        close: () => visit('about:blank'),
      };
    },
    close: async () => {
      await command('DELETE', session, undefined, CLOSE_TIMEOUT_MS).catch(() => undefined);
      if (driver.pid !== undefined && driver.exitCode === null) process.kill(-driver.pid, 'SIGKILL');
      await ended;
      screen.kill();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
