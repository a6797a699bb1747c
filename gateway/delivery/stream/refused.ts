import { StorageType } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import type { NatsConfig } from '../../nats/config.ts';
import type { OpenNats } from '../../nats/connection.ts';
import { windowKey } from '../../store/records.ts';
import type { SetAsideEntry } from '../queue-row.ts';
import { namesOf } from './names.ts';

/** An entry that the store refuses for good; `userId` null where that cannot be read. */
export interface RefusedEntry extends SetAsideEntry {
  readonly userId: number | null;
}

/** The bucket of windows that the store refuses for good, made where it is missing. */
export function refusedBucket({ kvm }: OpenNats, config: NatsConfig): Promise<KV> {
  return kvm.create(namesOf(config).refused, {
    storage: StorageType.File,
    replicas: config.replicas,
    history: 1,
    allow_direct: false,
  });
}

export async function putRefused(nats: OpenNats, config: NatsConfig, key: string, entry: RefusedEntry): Promise<void> {
  await (await refusedBucket(nats, config)).put(key, JSON.stringify(entry));
}

export async function hasRefused(nats: OpenNats, config: NatsConfig, window: MetricsWindow): Promise<boolean> {
  const entry = await (await refusedBucket(nats, config)).get(windowKey(window));
  return entry !== null && entry.operation === 'PUT';
}

/** All of them, in the order of their keys. */
export async function listRefused(
  nats: OpenNats,
  config: NatsConfig,
): Promise<(RefusedEntry & { readonly key: string })[]> {
  const bucket = await refusedBucket(nats, config);
  const keys: string[] = [];
  for await (const key of await bucket.keys()) keys.push(key);
  const entries = await Promise.all(
    keys.sort().map(async (key) => {
      const entry = await bucket.get(key);
      return entry === null || entry.operation !== 'PUT' ? [] : [{ key, ...entry.json<RefusedEntry>() }];
    }),
  );
  return entries.flat();
}

export async function forgetRefused(nats: OpenNats, config: NatsConfig, userId: number): Promise<void> {
  const bucket = await refusedBucket(nats, config);
  const entries = await listRefused(nats, config);
  await Promise.all(entries.filter((entry) => entry.userId === userId).map(({ key }) => bucket.purge(key)));
}
