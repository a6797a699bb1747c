import { existsSync } from 'node:fs';
import path from 'node:path';
import { describeError } from '../../../shared/errors.ts';
import type { GatewayConfig } from '../../config.ts';
import { type ConfiguredRetention, RETENTION_HINT, retentionChoice } from '../../privacy/retention-choice.ts';
import { STORE_FILE } from '../../store/open.ts';
import type { MetricsStore } from '../../store/port.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, warning } = findingsOf('retention');

/** Whether it is settled how long data is kept. `execute` reads a database that has the gateway's tables. */
export async function examineRetention(
  store: Pick<MetricsStore, 'execute'>,
  configured: ConfiguredRetention,
  nowMs: number,
): Promise<Finding> {
  try {
    const choice = await retentionChoice(store, configured, nowMs, false);
    if (choice.rules === null) return warning(choice.code, choice.message, RETENTION_HINT);
    const days = (count: number | null) => (count === null ? 'forever' : `for ${count} days`);
    const { detailDays, totalsDays } = choice.rules;
    return ok(`windows are kept ${days(detailDays)}, totals ${days(totalsDays)}`);
  } catch (error) {
    return warning('retention_unknown', `the age of the data is unknown: ${describeError(error)}`, 'run `migrate`');
  }
}

/** The same of the embedded store, where there is one yet; it is left as it is. */
export async function examineEmbeddedRetention(
  { dataDir, retention }: Pick<GatewayConfig, 'dataDir' | 'retention'>,
  nowMs: number,
): Promise<Finding[]> {
  const file = path.resolve(dataDir, STORE_FILE);
  if (!existsSync(file)) return [];
  const { createLibsqlStore } = await import('../../store/libsql/store.ts');
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const store = createLibsqlStore({ path: file, logger: silent });
  try {
    return [await examineRetention(store, retention, nowMs)];
  } finally {
    await store.close();
  }
}
