import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { ensureProgram, MARIADB, MARIADB_INSTALLER } from './debian-packages.ts';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

const run = promisify(execFile);

const HOST = '127.0.0.1';
const USER = 'relay';
/** Characters that a URL must encode, so that every test also tests that. */
const PASSWORD = 'r3lay:p@ss/word %';
const LOG_FILE_SIZE = '16M';

export interface MariaDb {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Connection URL of a database. */
  url(database: string): string;
  /** Makes a database (or finds it there) and returns its URL. */
  createDatabase(name: string, charset?: string): Promise<string>;
  /** Ends the server's process by a signal, SIGKILL by default, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal that leaves the process there: SIGSTOP, SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Starts it again on the same data and the same port, ending it first if it runs. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface MariaDbOptions {
  /** More options for the server, such as `--sql-mode=`. */
  readonly serverOptions?: readonly string[];
  /** Time zone of the server's process, such as `Asia/Manila`. */
  readonly timeZone?: string;
}

/** A time zone in which it is between 12:00 and 13:00 at `nowMs` (UTC), so that a test of the present day never meets midnight. */
export function middayZone(nowMs: number): string {
  const aheadH = 12 - new Date(nowMs).getUTCHours();
  // In these names the sign says how far UTC is ahead.
  return `Etc/GMT${aheadH > 0 ? '-' : '+'}${Math.abs(aheadH)}`;
}

/** Names a folder made by `installMariaDb`: servers then begin with a copy of it, which takes a fifth of the time. */
export const TEMPLATE_VARIABLE = 'MARIADB_TEMPLATE';

/** Makes a data folder with the system tables in it. */
export async function installMariaDb(dataDir: string): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'relay-db-install-'));
  try {
    await run(ensureProgram(MARIADB_INSTALLER), [
      '--no-defaults',
      `--datadir=${dataDir}`,
      // Two servers that share a folder for temporary tables may remove each other's.
      `--tmpdir=${folder}`,
      `--innodb-log-file-size=${LOG_FILE_SIZE}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...asRoot(),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeDataDirectory(dataDir: string): Promise<void> {
  const template = process.env[TEMPLATE_VARIABLE];
  if (template === undefined) await installMariaDb(dataDir);
  else await cp(template, dataDir, { recursive: true });
}

/** MariaDB refuses to run as root without this option. */
function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/**
 * Starts a MariaDB of our own: private data in the temporary folder, a free port on loopback, a user for the tests.
 * Resolves when it answers. Nothing else on the machine is touched, and only this process is ever ended.
 */
export async function startMariaDb(options: MariaDbOptions = {}): Promise<MariaDb> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'relay-db-'));
  const dataDir = path.join(folder, 'data');
  const socket = path.join(folder, 's.sock');
  const port = await freePort();
  await makeDataDirectory(dataDir);
  async function answers(): Promise<boolean> {
    try {
      const connection = await mysql.createConnection({ socketPath: socket, user: 'root', connectTimeout: 1000 });
      await connection.query('SELECT 1');
      await connection.end();
      return true;
    } catch {
      return false;
    }
  }

  const running = new ServerProcess({
    program: ensureProgram(MARIADB),
    args: [
      '--no-defaults',
      `--datadir=${dataDir}`,
      `--socket=${socket}`,
      `--pid-file=${path.join(folder, 'pid')}`,
      `--port=${port}`,
      `--bind-address=${HOST}`,
      '--skip-name-resolve',
      '--innodb-buffer-pool-size=64M',
      `--tmpdir=${folder}`,
      `--innodb-log-file-size=${LOG_FILE_SIZE}`,
      '--character-set-server=utf8mb4',
      ...asRoot(),
      ...(options.serverOptions ?? []),
    ],
    ...(options.timeZone === undefined ? {} : { env: { ...process.env, TZ: options.timeZone } }),
    logFile: path.join(folder, 'error.log'),
    answers,
  });

  async function query(sql: string): Promise<void> {
    const connection = await mysql.createConnection({ socketPath: socket, user: 'root' });
    try {
      await connection.query(sql);
    } finally {
      await connection.end();
    }
  }

  const url = (database: string) =>
    `mysql://${USER}:${encodeURIComponent(PASSWORD)}@${HOST}:${port}/${encodeURIComponent(database)}`;

  try {
    await running.restart();
    await query(mysql.format('CREATE USER IF NOT EXISTS ?@? IDENTIFIED BY ?', [USER, HOST, PASSWORD]));
    await query(mysql.format('GRANT ALL ON *.* TO ?@? WITH GRANT OPTION', [USER, HOST]));
  } catch (error) {
    await running.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }

  return {
    host: HOST,
    port,
    user: USER,
    password: PASSWORD,
    url,
    async createDatabase(name, charset = 'utf8mb4') {
      await query(`CREATE DATABASE IF NOT EXISTS ${mysql.escapeId(name)} CHARACTER SET ${mysql.escapeId(charset)}`);
      return url(name);
    },
    kill: (signal) => running.kill(signal),
    signal: (signal) => running.signal(signal),
    restart: () => running.restart('SIGTERM'),
    async stop() {
      await running.stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
