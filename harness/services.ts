import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RelayError } from '../shared/errors.ts';

const INFERENCE_MAIN = fileURLToPath(new URL('../dist/inference/main.mjs', import.meta.url));
const GATEWAY_MAIN = fileURLToPath(new URL('../dist/gateway/main.mjs', import.meta.url));
const STOP_AFTER_MS = 12_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** A service running as a process of its own. */
export interface Service {
  readonly process: ChildProcess;
  readonly port: number;
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, then SIGKILL if it does not end. */
  readonly stop: () => Promise<void>;
}

export interface StartOptions {
  readonly env: Environment;
  /** Where the service's log goes. Its errors always reach this process's standard error. */
  readonly log: 'inherit' | 'ignore';
  /** Arguments of Node itself; without them stack traces name the sources. */
  readonly nodeArguments?: readonly string[];
}

/**
 * Starts a built service and waits until it says that it is ready. Rejects with RelayError
 * `service_failed` if it ends before; what it printed to standard error says why.
 */
export async function startService(name: string, main: string, options: StartOptions): Promise<Service> {
  const child = fork(main, {
    env: options.env as NodeJS.ProcessEnv,
    execArgv: [...(options.nodeArguments ?? ['--enable-source-maps'])],
    stdio: ['ignore', options.log, 'inherit', 'ipc'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = new Promise<number>((resolve) => {
    child.on('message', (message) => {
      const { type, port } = message as { type?: string; port?: number };
      if (type === 'ready' && port !== undefined) resolve(port);
    });
  });
  const first = await Promise.race([ready, exited.then((code) => ({ code }))]);
  if (typeof first === 'object') {
    throw new RelayError('service_failed', `${name} ended with status ${first.code} before it was ready`, {
      hint: 'its own message is above',
    });
  }
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_AFTER_MS);
    await exited;
    clearTimeout(timer);
  };
  return { process: child, port: first, exited, stop };
}

/** Inference on `port`, 0 for any free one, loopback only. */
export function startInference(options: StartOptions, port = 0): Promise<Service> {
  const env = { ...options.env, HOST: '127.0.0.1', PORT: String(port) };
  return startService('inference', INFERENCE_MAIN, { ...options, env });
}

/** The gateway, pointed at an inference service on this machine, or at what its environment says. */
export function startGateway(options: StartOptions, inferencePort: number | null = null): Promise<Service> {
  const env =
    inferencePort === null ? options.env : { ...options.env, INFERENCE_URL: `http://127.0.0.1:${inferencePort}` };
  return startService('gateway', GATEWAY_MAIN, { ...options, env });
}
