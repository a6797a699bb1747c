import path from 'node:path';
import { lazy } from '../lib/lazy.ts';
import { STORE_FILE } from '../store/open.ts';
import type { MetricsStore } from '../store/port.ts';
import { DIALECTS } from '../store/views/measures.ts';
import type { ReportStore } from './port.ts';
import { createReportStore } from './store.ts';

/**
 * Reports from wherever the store keeps its windows. Loads the driver and connects with the first question, which rejects
 * with `mysql_url_invalid` where the address makes no sense.
 */
export function openReports(
  config: { readonly mysqlUrl: string | null; readonly dataDir: string },
  store: Pick<MetricsStore, 'migrate'>,
): ReportStore {
  const { mysqlUrl } = config;
  const prepare = () => store.migrate();
  const file = path.join(config.dataDir, STORE_FILE);
  const database = lazy(async () => {
    if (mysqlUrl === null) return (await import('./libsql.ts')).openLibsqlReports({ path: file, prepare });
    return (await import('./mysql.ts')).openMysqlReports({ url: mysqlUrl, prepare });
  });
  return createReportStore({
    dialect: DIALECTS[mysqlUrl === null ? 'libsql' : 'mysql'],
    rows: async (sql, values) => (await database.open()).rows(sql, values),
    close: database.close,
  });
}
