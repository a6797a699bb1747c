import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { ensureProgram, FIREFOX } from './debian-packages.ts';
import type { DrivenPage } from './driven-page.ts';

/** The camera is given unasked; nothing of the browser's own goes over the network. */
const PREFERENCES = {
  'media.navigator.permission.disabled': true,
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage': 'about:blank',
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.reportingpolicy.firstRun': false,
};

/** What WebDriver BiDi answers, as far as it is read here (https://w3c.github.io/webdriver-bidi). */
interface Answer {
  readonly id: number;
  readonly type: 'success' | 'error';
  readonly message?: string;
  readonly result?: Record<string, unknown>;
}

/** A WebDriver BiDi session: playwright-core drives only a Firefox of its own make. */
class BidiSession {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 1;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const answer = JSON.parse(String(data)) as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  async command(method: string, params: object): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { type, message, result } = await answered;
    if (type === 'error') throw new Error(`${method}: ${message}`);
    return result ?? {};
  }
}

export interface LaunchedFirefox {
  openPage(url: string): Promise<DrivenPage>;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

async function bidiAddress(browser: ChildProcess): Promise<string> {
  if (browser.stderr === null) throw new Error('Firefox was started without its error stream');
  const said: string[] = [];
  for await (const line of createInterface(browser.stderr)) {
    const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) return address;
    said.push(line);
  }
  throw new Error(`Firefox ended before it could be driven:\n${said.join('\n')}`);
}

async function openPage(session: BidiSession, url: string): Promise<DrivenPage> {
  const { context } = await session.command('browsingContext.create', { type: 'tab' });
  await session.command('browsingContext.navigate', { context, url, wait: 'complete' });
  const evaluate: DrivenPage['evaluate'] = async (work, argument) => {
    // Compiled tests may name inner functions through a helper that pages do not have.
    const helper = 'const __name = (named) => named;';
    const call = `(async () => { ${helper} return JSON.stringify({ value: await (${work})(${JSON.stringify(argument)}) }); })()`;
    const answer = await session.command('script.evaluate', {
      expression: call,
      target: { context },
      awaitPromise: true,
      userActivation: true,
    });
    const { type, result, exceptionDetails } = answer as {
      type: 'success' | 'exception';
      result?: { value: string };
      exceptionDetails?: { text: string };
    };
    if (type === 'exception' || result === undefined) throw new Error(exceptionDetails?.text ?? 'no result');
    return (JSON.parse(result.value) as { value: never }).value;
  };
  return {
    evaluate,
    until: async (isTrue, argument) => {
      while (!(await evaluate(isTrue, argument)))
        await evaluate(() => new Promise<void>((resolve) => setTimeout(resolve, 20)), null);
    },
    close: async () => {
      await session.command('browsingContext.close', { context });
    },
  };
}

/**
 * Starts Firefox without a window, with a profile of its own. Throws, saying what to install, when there is none and it
 * cannot be installed.
 */
export async function launchFirefox(preferences: Readonly<Record<string, boolean>> = {}): Promise<LaunchedFirefox> {
  const profile = await mkdtemp(join(tmpdir(), 'gaze-relay-firefox-'));
  const lines = Object.entries({ ...PREFERENCES, ...preferences }).map(
    ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
  );
  await writeFile(join(profile, 'user.js'), lines.join('\n'));
  const browser = spawn(
    ensureProgram(FIREFOX),
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' } },
  );
  const ended = once(browser, 'exit');
  const socket = new WebSocket(`${await bidiAddress(browser)}/session`);
  await once(socket, 'open');
  const session = new BidiSession(socket);
  await session.command('session.new', { capabilities: {} });
  return {
    openPage: (url) => openPage(session, url),
    close: async () => {
      socket.close();
      browser.kill();
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
