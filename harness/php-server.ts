import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureProgram, PHP, PHP_MYSQL } from './debian-packages.ts';
import { freePort } from './free-port.ts';
import { isListening } from './is-listening.ts';

const HOST = '127.0.0.1';
const FOLDER = fileURLToPath(new URL('./php', import.meta.url));

export type PhpFault = 'fatal_before' | 'fatal_after' | 'silence_before' | 'silence_after';

export interface PhpServer {
  /** Address of a lineage's endpoint. */
  url(lineage: 'a' | 'b' | 'c'): string;
  /** The next post fails in this way. */
  failNext(fault: PhpFault): Promise<void>;
  /** Connections are cut as soon as the whole request is through, for as long as this is on. */
  cutAfterBody(isOn: boolean): void;
  /** Seconds in posts that the endpoints have said to have stored. */
  storedSeconds(): number;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** PHP's own server with the three endpoints on a database, behind a port that can cut connections. */
export async function startPhpServer(databaseUrl: string): Promise<PhpServer> {
  const php = ensureProgram(PHP);
  ensureProgram(PHP_MYSQL);
  const database = new URL(databaseUrl);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'relay-php-'));
  const faultFile = path.join(folder, 'fault');
  let child: ChildProcess | null = null;
  let cut = false;
  let storedS = 0;
  const sockets = new Set<Socket>();

  const innerPort = await freePort();

  async function start(): Promise<void> {
    child = spawn(php, ['-d', 'display_errors=1', '-S', `${HOST}:${innerPort}`, '-t', FOLDER], {
      stdio: 'ignore',
      // Several workers, each a process of its own: a group, so that all of them end together.
      detached: true,
      env: {
        ...process.env,
        PHP_CLI_SERVER_WORKERS: '4',
        DB_HOST: database.hostname,
        DB_PORT: database.port,
        DB_USER: decodeURIComponent(database.username),
        DB_PASS: decodeURIComponent(database.password),
        DB_NAME: decodeURIComponent(database.pathname.slice(1)),
        FAULT_FILE: faultFile,
      },
    });
    while (!(await isListening(innerPort))) await delay(20);
  }

  async function kill(): Promise<void> {
    const running = child;
    child = null;
    if (running?.pid === undefined) return;
    const gone = once(running, 'exit');
    process.kill(-running.pid, 'SIGKILL');
    await gone;
  }
  const endWithUs = () => {
    if (child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.once('exit', endWithUs);

  const front = createServer((client) => {
    const server = createConnection(innerPort, HOST);
    sockets.add(client).add(server);
    let request = '';
    client.on('data', (chunk: Buffer) => {
      request += chunk.toString('latin1');
      server.write(chunk);
      const head = request.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
      if (cut && head >= 0 && request.length >= head + 4 + length) client.resetAndDestroy();
    });
    server.on('data', (chunk: Buffer) => {
      client.write(chunk);
      if (!/"success": ?true/.test(chunk.toString('latin1'))) return;
      storedS += Number(/"total_time":(\d+)/.exec(request)?.[1] ?? 0);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        // A cut client leaves the server to finish what it was asked for.
        if (one === server || !cut) other.destroy();
      });
    }
  });
  let frontPort = 0;
  const listen = async (port: number) => {
    front.listen(port, HOST);
    await once(front, 'listening');
    const bound = front.address();
    if (bound !== null && typeof bound === 'object') frontPort = bound.port;
  };
  const hangUp = async () => {
    if (!front.listening) return;
    const closed = once(front, 'close');
    front.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await start();
  await listen(0);

  return {
    url: (lineage) => `http://${HOST}:${frontPort}/lineage-${lineage}.php`,
    failNext: (fault) => writeFile(faultFile, fault),
    cutAfterBody: (isOn) => {
      cut = isOn;
    },
    storedSeconds: () => storedS,
    async kill() {
      await hangUp();
      await kill();
    },
    async restart() {
      await start();
      await listen(frontPort);
    },
    async stop() {
      await hangUp();
      await kill();
      process.removeListener('exit', endWithUs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
