import { StorageType } from '@nats-io/jetstream';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import type { NatsConfig } from '../../nats/config.ts';
import type { OpenNats } from '../../nats/connection.ts';
import { namesOf } from './names.ts';

/** A gateway that was off for longer than this with a student's windows in its file is none that is in use. */
const KEPT_MS = 90 * 86_400_000;

const bucket = ({ kvm }: OpenNats, config: NatsConfig) =>
  kvm.create(namesOf(config).forgotten, {
    storage: StorageType.File,
    replicas: config.replicas,
    history: 1,
    // Copies may answer with what was true a moment ago.
    allow_direct: false,
    ttl: KEPT_MS,
  });

/** Notes that a student's data was deleted: windows from before `atMs`, UTC, in the file of some gateway are not published again. */
export async function noteForgotten(nats: OpenNats, config: NatsConfig, userId: number, atMs: number): Promise<void> {
  await (await bucket(nats, config)).put(String(userId), String(atMs));
}

export async function isForgotten(nats: OpenNats, config: NatsConfig, window: MetricsWindow): Promise<boolean> {
  const entry = await (await bucket(nats, config)).get(String(window.userId));
  return entry !== null && entry.operation === 'PUT' && window.endedAtMs <= Number(entry.string());
}
