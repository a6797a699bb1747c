import mysql from 'mysql2/promise';
import { openStore } from '../../gateway/store/open.ts';
import { SILENT } from '../../harness/gateway.ts';
import type { MariaDb } from '../../harness/mariadb.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { createSchoolTables } from './report-data.ts';

const BATCH = 500;

/** Makes a database with the school's students, modules and classes. Resolves with its URL. */
export async function createSchool(database: MariaDb, name: string): Promise<string> {
  const mysqlUrl = await database.createDatabase(name);
  const connection = await mysql.createConnection(mysqlUrl);
  await createSchoolTables(connection);
  await connection.end();
  return mysqlUrl;
}

/** Stores windows as a gateway does. `dataDir`: the gateway's. */
export async function storeWindows(
  place: { readonly mysqlUrl: string | null; readonly dataDir: string },
  windows: readonly MetricsWindow[],
): Promise<void> {
  const store = await openStore(place, SILENT);
  for (let at = 0; at < windows.length; at += BATCH) await store.applyWindows(windows.slice(at, at + BATCH));
  await store.close();
}
