import path from 'node:path';
import { openLater } from '../lib/later.ts';
import { STORE_FILE } from '../store/open.ts';
import type { MetricsStore } from '../store/port.ts';
import type { ReportStore } from './port.ts';

/**
 * Reports from wherever the store keeps its windows. Loads and connects with the first question, which rejects with
 * `mysql_url_invalid` where the address makes no sense.
 */
export function openReports(
  config: { readonly mysqlUrl: string | null; readonly dataDir: string },
  store: Pick<MetricsStore, 'migrate'>,
): ReportStore {
  const { mysqlUrl } = config;
  const prepare = () => store.migrate();
  const file = path.join(config.dataDir, STORE_FILE);
  return openLater<ReportStore>({ kind: mysqlUrl === null ? 'libsql' : 'mysql' }, async () => {
    const [{ createReportStore }, database] = await Promise.all([
      import('./store.ts'),
      mysqlUrl === null
        ? import('./libsql.ts').then(({ openLibsqlReports }) => openLibsqlReports({ path: file, prepare }))
        : import('./mysql.ts').then(({ openMysqlReports }) => openMysqlReports({ url: mysqlUrl, prepare })),
    ]);
    return createReportStore(database);
  }).part;
}
