import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../harness/free-port.ts';
import { projectRoot } from '../../inference/project-root.ts';
import { describeError } from '../../shared/errors.ts';

const run = promisify(execFile);
const PYTHONS = ['python3.11', 'python3.12', 'python3.10', 'python3.9', 'python3', 'python'];
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const SERVICE = fileURLToPath(new URL('service.py', import.meta.url));
const READY_WITHIN_MS = 60_000;
const POLL_MS = 10;
const SUPPORTED = `import sys; sys.exit(0 if (3, 9) <= sys.version_info[:2] <= (3, 12) else 1)`;

async function findPython(): Promise<string | null> {
  for (const name of PYTHONS) {
    const works = await run(name, ['-c', SUPPORTED]).then(
      () => true,
      () => false,
    );
    if (works) return name;
  }
  return null;
}

/**
 * The Python that has what the service needs, in a virtual environment of `.cache/seed-service` that is made on the first
 * call; or why there is none.
 */
export async function installPython(
  progress: (line: string) => void,
): Promise<{ readonly python: string; readonly versions: string } | { readonly missing: string }> {
  const folder = join(projectRoot(), '.cache', 'seed-service');
  const python = join(folder, 'bin', 'python');
  const mark = join(folder, 'installed.txt');
  const wanted = await readFile(REQUIREMENTS, 'utf8');
  const installed = await readFile(mark, 'utf8').catch(() => null);
  if (installed !== wanted) {
    const base = await findPython();
    if (base === null) return { missing: 'no Python 3.9 to 3.12 is there: the Python service is not measured' };
    progress(`installs the Python service's packages into ${folder}`);
    try {
      await run(base, ['-m', 'venv', '--clear', folder]);
      await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS], { timeout: 900_000 });
    } catch (error) {
      return {
        missing: `the Python service's packages cannot be installed, it is not measured: ${describeError(error)}`,
      };
    }
    await writeFile(mark, wanted);
  }
  const { stdout } = await run(python, ['--version']);
  return { python, versions: `${stdout.trim()}, ${wanted.trim().split('\n').join(', ')}` };
}

export interface PythonService {
  readonly process: ChildProcess;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts the service and waits until it answers. Rejects when it ends before. */
export async function startPythonService(python: string, endpointUrl: string): Promise<PythonService> {
  const port = await freePort();
  const child = spawn(python, [SERVICE], {
    env: { ...process.env, PORT: String(port), PHP_ENDPOINT: endpointUrl },
    stdio: 'ignore',
  });
  let isEnded = false;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isEnded = true;
      resolve();
    });
  });
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const isReady = await fetch(`http://127.0.0.1:${port}/api/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) break;
    if (isEnded || performance.now() > deadlineMs) {
      child.kill('SIGKILL');
      throw new Error(`the Python service does not start: run ${python} ${SERVICE} to see why`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const stop = async () => {
    // It holds nothing that it must write: posts of ended sessions have been made.
    child.kill('SIGKILL');
    await exited;
  };
  return { process: child, port, stop };
}
