import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const START_LIMIT_MS = 60_000;
const POLL_MS = 25;
const LOG_LINES = 20;

/** What starts a server. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** What it writes to stderr is appended here. */
  readonly logFile: string;
  /** Whether it serves now. */
  readonly answers: () => Promise<boolean>;
}

/** A server that is started, ended and started again; it never outlives this process. */
export class ServerProcess {
  readonly #command: ServerCommand;
  #child: ChildProcess | null = null;
  readonly #endWithUs = () => this.#child?.kill('SIGKILL');

  constructor(command: ServerCommand) {
    this.#command = command;
    process.once('exit', this.#endWithUs);
  }

  /** Starts it without waiting for it. */
  start(): void {
    const { program, args, env, logFile } = this.#command;
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: env ?? process.env });
    child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }));
    this.#child = child;
  }

  /** Resolves when it serves. Rejects with the end of its log when it ended, or takes too long. */
  async ready(): Promise<void> {
    const { program, logFile, answers } = this.#command;
    const deadlineMs = performance.now() + START_LIMIT_MS;
    while (!(await answers())) {
      if (!this.#isRunning || performance.now() > deadlineMs) {
        const log = await readFile(logFile, 'utf8').catch(() => '');
        throw new Error(`${program} does not start:\n${log.split('\n').slice(-LOG_LINES).join('\n')}`);
      }
      await delay(POLL_MS);
    }
  }

  /** Ends it by a signal and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    const isRunning = this.#isRunning;
    this.#child = null;
    if (child === null || !isRunning) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    // A stopped process does not hear SIGTERM.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await gone;
  }

  /** Sends a signal that leaves the process there. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Starts it again, ending it by `signal` if it runs; resolves when it serves. */
  async restart(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.kill(signal);
    this.start();
    await this.ready();
  }

  /** Ends it permanently. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.kill(signal);
    process.removeListener('exit', this.#endWithUs);
  }

  get #isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }
}
