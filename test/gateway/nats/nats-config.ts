import { gatewayConfigSchema } from '../../../gateway/config.ts';
import type { NatsConfig } from '../../../gateway/nats/config.ts';
import { readConfig } from '../../../shared/config.ts';

/** The configuration of NATS as a gateway reads it. */
export function natsConfig(url: string, env: Readonly<Record<string, string>> = {}): NatsConfig {
  const result = readConfig(gatewayConfigSchema, { NATS_URL: url, ...env });
  if (!result.ok) throw new Error(result.faults.join('\n'));
  if (result.config.nats === null) throw new Error('NATS_URL is not set');
  return result.config.nats;
}
