import { describeError } from '../../../shared/errors.ts';
import { type ConfiguredRetention, RETENTION_HINT, retentionChoice } from '../../privacy/retention-choice.ts';
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
