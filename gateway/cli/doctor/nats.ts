import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { pino } from 'pino';
import { RelayError } from '../../../shared/errors.ts';
import { BEAT_EVERY_MS, beatSubjectOf, type PeerInfo } from '../../cluster/peers.ts';
import { digestOf } from '../../cluster/secret-digest.ts';
import type { GatewayConfig } from '../../config.ts';
import { namesOf } from '../../delivery/stream/names.ts';
import { unlessNoStream } from '../../delivery/stream/stream.ts';
import { productVersion } from '../../lib/product-version.ts';
import type { NatsConfig } from '../../nats/config.ts';
import { natsLink, type OpenNats } from '../../nats/connection.ts';
import { type Finding, findingsOf } from './finding.ts';
import { networkFault } from './network.ts';

const { ok, note, warning, fault } = findingsOf('nats');
const TIMEOUT_MS = 5000;
/** The first version that can write to the disk before it acknowledges. */
const SYNC_ALWAYS_SINCE = [2, 10] as const;
const WAITING_LONG_MIN = 10;
const SYNC_ALWAYS = 'set sync_interval: always in the jetstream block of each server (2.10 or later)';

/** True for a server that cannot write to the disk before it acknowledges. `version` is what it says of itself, such as `2.9.10`. */
export function isOldServer(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [sinceMajor, sinceMinor] = SYNC_ALWAYS_SINCE;
  return major < sinceMajor || (major === sinceMajor && minor < sinceMinor);
}

/** Makes a stream as the gateway's, writes to it and reads, and removes it. Rejects as NATS does. */
async function tryStream({ js, jsm }: OpenNats, config: NatsConfig): Promise<void> {
  const name = `${config.prefix}_doctor_${randomUUID()}`;
  const subject = `${config.prefix}.doctor.${name}`;
  await jsm.streams.add({
    name,
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Workqueue,
    num_replicas: config.replicas,
  });
  try {
    const { seq } = await js.publish(subject, 'doctor');
    await jsm.streams.getMessage(name, { seq });
  } finally {
    await jsm.streams.delete(name);
  }
}

/** Windows of all gateways that wait for the database. Those of a gateway that is gone are among them. */
async function examineWaiting({ jsm }: OpenNats, config: NatsConfig, nowMs: number): Promise<Finding> {
  const { stream } = namesOf(config);
  const state = await unlessNoStream(async () => (await jsm.streams.info(stream)).state, null);
  if (state === null || state.messages === 0) return ok('no window waits in NATS for the database');
  const minutes = Math.floor((nowMs - Date.parse(state.first_ts)) / 60_000);
  const what = `${state.messages} windows wait in NATS for the database, the oldest for ${minutes} min`;
  if (minutes < WAITING_LONG_MIN) return ok(what);
  return warning('nats_windows_wait', what, 'start a gateway with this NATS_URL and MYSQL_URL: any one delivers them');
}

/** What a server says of itself, as far as it is read here. */
interface Varz {
  readonly server_name?: string;
  readonly version?: string;
  readonly jetstream?: { readonly config?: { readonly sync_interval?: number; readonly sync_always?: boolean } };
}

async function examineMonitor(url: string): Promise<Finding[]> {
  let varz: Varz;
  try {
    const response = await fetch(new URL('/varz', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    varz = (await response.json()) as Varz;
  } catch (error) {
    const what = `${url} cannot be read: ${networkFault(error)}`;
    return [warning('nats_monitor_unreachable', what, 'correct NATS_MONITOR_URL, or set http: 8222 on the servers')];
  }
  const name = varz.server_name ?? url;
  if (varz.version === undefined || varz.jetstream === undefined) {
    return [
      fault(
        'nats_monitor_not_there',
        `what answers at ${url} is no NATS server with JetStream`,
        'correct NATS_MONITOR_URL',
      ),
    ];
  }
  if (varz.jetstream.config?.sync_always === true) return [ok(`${name} writes to the disk before it acknowledges`)];
  const everyS = (varz.jetstream.config?.sync_interval ?? 120e9) / 1e9;
  return [
    warning(
      'nats_not_synced',
      `${name} (${varz.version}) writes to the disk every ${everyS} s only: what it acknowledged since is lost in a power cut, and is then in the gateways' files alone`,
      SYNC_ALWAYS,
    ),
  ];
}

/** Gateways that say that they are there, within a little more than two of their beats. */
async function gatewaysOf({ connection }: OpenNats, config: NatsConfig): Promise<PeerInfo[]> {
  const heard = new Map<string, PeerInfo>();
  const subscription = connection.subscribe(beatSubjectOf(config), {
    callback: (error, message) => {
      if (error !== null) return;
      const info = message.json<PeerInfo>();
      heard.set(info.id, info);
    },
  });
  await delay(2 * BEAT_EVERY_MS + 200);
  subscription.unsubscribe();
  return [...heard.values()];
}

function compare(gateways: readonly PeerInfo[], { secret }: GatewayConfig): Finding[] {
  const version = productVersion();
  const differing = gateways.flatMap(({ address, secretDigest, version: theirs }): Finding[] => [
    ...(secret !== null && secretDigest !== digestOf(secret)
      ? [fault('gateways_differ', `${address} has another RELAY_JWT_SECRET`, 'give all gateways the same secret')]
      : []),
    ...(theirs !== version
      ? [warning('gateways_differ', `${address} is version ${theirs}, this is ${version}`, 'finish the release')]
      : []),
  ]);
  return differing.length > 0 ? differing : [ok(`${gateways.length} gateways with students, all as this one`)];
}

/**
 * The servers behind NATS_URL: reached, JetStream, rights, copies, how they sync; what waits in them at `nowMs` (UTC); and the
 * gateways that share them.
 */
export async function examineNats(config: GatewayConfig, nats: NatsConfig, nowMs: number): Promise<Finding[]> {
  const link = natsLink(nats, pino({ level: 'silent' }), { timeoutMs: TIMEOUT_MS });
  try {
    const { version, waiting, gateways } = await link.use(async (open) => {
      await tryStream(open, nats);
      return {
        version: open.connection.info?.version ?? '0',
        waiting: await examineWaiting(open, nats, nowMs),
        gateways: await gatewaysOf(open, nats),
      };
    });
    return [
      ok(`NATS ${version} keeps ${nats.replicas === 1 ? 'one copy' : `${nats.replicas} copies`} of what is written`),
      ...(isOldServer(version)
        ? [
            warning(
              'nats_old',
              `NATS ${version} acknowledges before the disk has a window`,
              'run nats-server 2.10 or later with sync_interval: always',
            ),
          ]
        : []),
      ...(nats.replicas === 1
        ? [
            warning(
              'nats_one_copy',
              'NATS keeps one copy: while its server is unavailable windows wait in the gateways’ files',
              'run three servers as one cluster and set NATS_REPLICAS=3',
            ),
          ]
        : []),
      ...(nats.monitorUrls.length === 0
        ? [note('nats_sync_unknown', 'without NATS_MONITOR_URL it is not known how the servers sync to the disk')]
        : (await Promise.all(nats.monitorUrls.map(examineMonitor))).flat()),
      waiting,
      ...compare(gateways, config),
    ];
  } catch (error) {
    const found = error instanceof RelayError ? error : new RelayError('nats_failed', String(error));
    return [fault(found.code, found.message, found.hint ?? 'see the log of nats-server')];
  } finally {
    await link.close();
  }
}
