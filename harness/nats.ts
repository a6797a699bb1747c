import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ensureProgram, NATS_SERVER } from './debian-packages.ts';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';

const HOST = '127.0.0.1';

/** One nats-server of ours. */
export interface NatsServer {
  readonly port: number;
  readonly url: string;
  /** Where it answers `/varz`, `/jsz`, `/healthz`. */
  readonly monitorUrl: string;
  /** Where its streams are on the disk. */
  readonly storeDir: string;
  /** Ends it by a signal, SIGKILL by default, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal that leaves the process there: SIGSTOP, SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Starts it again on the same ports and data, ending it first if it runs; resolves when it is healthy. */
  restart(): Promise<void>;
}

/** One server, or a cluster of three. */
export interface Nats {
  readonly servers: readonly NatsServer[];
  /** All servers, for NATS_URL. */
  readonly url: string;
  /** All monitoring addresses, for NATS_MONITOR_URL. */
  readonly monitorUrl: string;
  /** Ends all servers and removes their data. */
  stop(): Promise<void>;
}

export interface NatsOptions {
  /** Default 1. */
  readonly servers?: 1 | 3;
  /** Without JetStream: a server as an operator may have it by mistake. */
  readonly withoutJetStream?: boolean;
  /** More of the configuration file, such as `authorization { user: a, password: b }`. */
  readonly configuration?: string;
  /** `user:password@` or `token@` for the URLs. */
  readonly identity?: string;
  /** Certificate and key of the server, and the authority whose certificates it takes from clients where it wants one. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string };
}

/** A configuration as the nats-server of this machine can check it: one before 2.10 does not know `sync_interval`. */
export function checkable(configuration: string): string {
  const version = execFileSync(ensureProgram(NATS_SERVER), ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /v(\d+)\.(\d+)/.exec(version) ?? [];
  const isOld = Number(major) < 2 || (Number(major) === 2 && Number(minor) < 10);
  return isOld ? configuration.replace(', sync_interval: always', '') : configuration;
}

interface Ports {
  readonly client: number;
  readonly monitor: number;
  readonly cluster: number;
}

function tlsOf({ certFile, keyFile, clientCaFile }: NonNullable<NatsOptions['tls']>): string {
  const clients = clientCaFile === undefined ? '' : `, ca_file: "${clientCaFile}", verify: true`;
  return `tls { cert_file: "${certFile}", key_file: "${keyFile}"${clients} }`;
}

function configurationOf(index: number, ports: readonly Ports[], storeDir: string, options: NatsOptions): string {
  const own = ports[index];
  if (own === undefined) throw new Error(`there is no server ${index}`);
  const routes = ports.map(({ cluster }) => `nats://${HOST}:${cluster}`).join(', ');
  return [
    `server_name: n${index + 1}`,
    `listen: "${HOST}:${own.client}"`,
    `http: "${HOST}:${own.monitor}"`,
    options.withoutJetStream === true ? '' : `jetstream { store_dir: "${storeDir}" }`,
    ports.length === 1 ? '' : `cluster { name: relay, listen: "${HOST}:${own.cluster}", routes: [${routes}] }`,
    options.tls === undefined ? '' : tlsOf(options.tls),
    options.configuration ?? '',
  ].join('\n');
}

/** Healthy: with JetStream, a leader of the cluster is known and its own streams have caught up. */
async function isHealthy(monitorUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${monitorUrl}/healthz`, { signal: AbortSignal.timeout(1000) });
    return response.ok;
  } catch {
    return false;
  }
}

async function server(
  folder: string,
  index: number,
  ports: readonly Ports[],
  options: NatsOptions,
): Promise<NatsServer & { start(): void; ready(): Promise<void> }> {
  const own = ports[index];
  if (own === undefined) throw new Error(`there is no server ${index}`);
  const storeDir = path.join(folder, `n${index + 1}`);
  const configFile = path.join(folder, `n${index + 1}.conf`);
  await writeFile(configFile, configurationOf(index, ports, storeDir, options));
  const monitorUrl = `http://${HOST}:${own.monitor}`;
  const running = new ServerProcess({
    program: ensureProgram(NATS_SERVER),
    args: ['-c', configFile],
    logFile: path.join(folder, `n${index + 1}.log`),
    answers: () => isHealthy(monitorUrl),
  });
  return {
    port: own.client,
    url: `${options.tls === undefined ? 'nats' : 'tls'}://${options.identity ?? ''}${HOST}:${own.client}`,
    monitorUrl,
    storeDir,
    start: () => running.start(),
    ready: () => running.ready(),
    kill: (signal) => running.kill(signal),
    signal: (signal) => running.signal(signal),
    restart: () => running.restart(),
  };
}

/**
 * Starts one nats-server, or three as a cluster, with JetStream: private data in the temporary folder, free ports on
 * loopback. Resolves when all are healthy and, with three, have a leader.
 */
export async function startNats(options: NatsOptions = {}): Promise<Nats> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'relay-nats-'));
  const ports: Ports[] = [];
  for (let index = 0; index < (options.servers ?? 1); index++) {
    ports.push({ client: await freePort(), monitor: await freePort(), cluster: await freePort() });
  }
  const servers = await Promise.all(ports.map((_, index) => server(folder, index, ports, options)));
  const stop = async () => {
    await Promise.all(servers.map((each) => each.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const each of servers) each.start();
    await Promise.all(servers.map((each) => each.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    servers,
    url: servers.map(({ url }) => url).join(','),
    monitorUrl: servers.map(({ monitorUrl }) => monitorUrl).join(','),
    stop,
  };
}
