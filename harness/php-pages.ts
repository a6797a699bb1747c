import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureProgram, PHP } from './debian-packages.ts';
import { freePort } from './free-port.ts';
import { isListening } from './is-listening.ts';

const HOST = '127.0.0.1';
const POLL_MS = 20;

export interface PhpPages {
  /** Address of the document root, with a slash at its end. */
  readonly url: string;
  /** Folder of the served files. */
  readonly root: string;
  readonly stop: () => Promise<void>;
}

/** PHP's own web server, serving files of these names and texts, on a free port of loopback. */
export async function startPhp(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<PhpPages> {
  const root = await mkdtemp(join(tmpdir(), 'relay-php-'));
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  const port = await freePort();
  const options = ['-d', 'display_errors=1', '-d', `session.save_path=${root}`];
  const child = spawn(ensureProgram(PHP), [...options, '-S', `${HOST}:${port}`, '-t', root], {
    env: { PATH: process.env.PATH, ...env },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`php ended with status ${child.exitCode}`);
    await delay(POLL_MS);
  }
  return {
    url: `http://${HOST}:${port}/`,
    root,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(root, { recursive: true, force: true });
    },
  };
}
