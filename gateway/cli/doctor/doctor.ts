import { readConfig } from '../../../shared/config.ts';
import { describeError } from '../../../shared/errors.ts';
import { type GatewayConfig, gatewayConfigSchema } from '../../config.ts';
import type { CliContext } from '../command.ts';
import { PLATFORM_CHECKS } from '../platform.ts';
import { misspelt } from '../spelling.ts';
import { examineDataDir } from './data-dir.ts';
import { type Finding, findingsOf } from './finding.ts';
import { examineInference } from './inference.ts';
import { examineMysql } from './mysql.ts';
import { examineOrigins } from './origins.ts';
import { examinePlatform } from './platform.ts';
import { examineEmbeddedRetention } from './retention.ts';
import { examineSecret } from './secret.ts';

export interface DoctorOptions {
  /** Room that the delivery queue must find in DATA_DIR. */
  readonly spoolBytes: number;
}

/** Tries everything. Never rejects: what cannot be tried is a finding. */
export async function examine(context: CliContext, options: DoctorOptions): Promise<Finding[]> {
  const { warning, fault, ok } = findingsOf('config');
  const spelling = misspelt(context.env).map(({ given, meant }) =>
    warning(
      'variable_misspelt',
      `${given} is not a variable of the gateway; ${meant} is, and is not set`,
      `rename ${given} to ${meant}`,
    ),
  );
  const result = readConfig<GatewayConfig>(gatewayConfigSchema, context.env);
  if (!result.ok) {
    const faults = result.faults.map((text) =>
      fault('config_invalid', text, 'correct this variable; the rest is checked once all of them are valid'),
    );
    return [...spelling, ...faults];
  }
  const { config } = result;
  const checks: Readonly<Record<string, () => Promise<readonly Finding[]> | readonly Finding[]>> = {
    secret: () => examineSecret(config),
    origins: () => examineOrigins(config),
    mysql: () => examineMysql(config.mysqlUrl, context.now, PLATFORM_CHECKS, config.retention),
    retention: async () => (config.mysqlUrl === null ? examineEmbeddedRetention(config, context.now()) : []),
    php: () => PLATFORM_CHECKS.examineEndpoint(config),
    inference: () => examineInference(config.inferenceUrls, config.inferenceSecret),
    nats: async () =>
      config.nats === null ? [] : (await import('./nats.ts')).examineNats(config, config.nats, context.now()),
    data: () => examineDataDir(config, options.spoolBytes),
    platform: () => examinePlatform(config, context.env),
  };
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      try {
        return await check();
      } catch (error) {
        return [findingsOf(name).fault('check_failed', describeError(error), 'report this: the check itself failed')];
      }
    }),
  );
  return [...spelling, ok('every variable makes sense'), ...found.flat()];
}
