import path from 'node:path';
import { lazy } from '../lib/lazy.ts';
import { STORE_FILE } from '../store/open.ts';
import type { MetricsStore } from '../store/port.ts';
import type { ReportDatabase } from './database.ts';
import type { PlatformNames } from './platform-names.ts';
import type { ReportStore } from './port.ts';
import { createReportStore } from './store.ts';

/**
 * Reports from wherever the store keeps its windows. Loads the driver and connects with the first question, which rejects
 * with `mysql_url_invalid` where the address makes no sense.
 */
export function openReports(
  config: { readonly mysqlUrl: string | null; readonly dataDir: string },
  store: Pick<MetricsStore, 'migrate'>,
  names: PlatformNames,
): ReportStore {
  const { mysqlUrl } = config;
  const prepare = () => store.migrate();
  const file = path.join(config.dataDir, STORE_FILE);
  const database = lazy(async () => {
    if (mysqlUrl === null) return (await import('./libsql.ts')).openLibsqlReports({ path: file, prepare });
    return (await import('./mysql.ts')).openMysqlReports({ url: mysqlUrl, prepare, names });
  });
  const onFirstQuestion: ReportDatabase = {
    kind: mysqlUrl === null ? 'libsql' : 'mysql',
    div: mysqlUrl === null ? '/' : 'DIV',
    directory: async () => (await database.open()).directory(),
    rows: async (sql, values) => (await database.open()).rows(sql, values),
    close: database.close,
  };
  return createReportStore(onFirstQuestion, names);
}
