import path from 'node:path';
import { STORE_FILE } from '../store/open.ts';
import type { MetricsStore } from '../store/port.ts';
import { openLibsqlReports } from './libsql.ts';
import { openMysqlReports } from './mysql.ts';
import type { ReportStore } from './port.ts';
import { createReportStore } from './store.ts';

/** Reports from wherever the store keeps its windows. Connects with the first question. Throws `mysql_url_invalid`. */
export function openReports(
  config: { readonly mysqlUrl: string | null; readonly dataDir: string },
  store: Pick<MetricsStore, 'migrate'>,
): ReportStore {
  const prepare = () => store.migrate();
  return createReportStore(
    config.mysqlUrl === null
      ? openLibsqlReports({ path: path.join(config.dataDir, STORE_FILE), prepare })
      : openMysqlReports({ url: config.mysqlUrl, prepare }),
  );
}
