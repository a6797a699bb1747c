import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient, type Transaction } from '@libsql/client';
import mysql from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { createLibsqlStore } from '../../../gateway/store/libsql/store.ts';
import { createMysqlStore } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';
import { type MariaDb, startMariaDb } from '../../../harness/mariadb.ts';
import { captureLog } from '../../support/log-capture.ts';

/** What a specification needs of a kind of store. */
export interface StoreFixture {
  /** An empty place for one test. */
  reset(): Promise<void>;
  /** A store on that place; two of them are two gateways. */
  open(): MetricsStore;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Makes the store unreachable, and reachable again. */
  cutOff(): Promise<void>;
  restore(): Promise<void>;
  dispose(): Promise<void>;
}

export async function libsqlFixture(): Promise<StoreFixture> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'relay store é '));
  let file = '';
  let count = 0;
  let lock: { client: ReturnType<typeof createClient>; transaction: Transaction } | null = null;
  return {
    async reset() {
      count += 1;
      file = path.join(folder, `${count}`, 'store.db');
      await mkdir(path.dirname(file));
    },
    open: () => createLibsqlStore({ path: file, logger: captureLog().logger }),
    async query(sql) {
      const client = createClient({ url: pathToFileURL(file).href });
      const { rows } = await client.execute(sql);
      client.close();
      return rows.map((row) => ({ ...row }));
    },
    async cutOff() {
      const client = createClient({ url: pathToFileURL(file).href });
      lock = { client, transaction: await client.transaction('write') };
    },
    async restore() {
      lock?.transaction.close();
      lock?.client.close();
      lock = null;
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function mysqlFixture(): Promise<StoreFixture> {
  const server: MariaDb = await startMariaDb();
  let url = '';
  let count = 0;
  return {
    async reset() {
      count += 1;
      url = await server.createDatabase(`contract_${count}`);
    },
    open: () => createMysqlStore({ url, logger: captureLog().logger }),
    async query(sql) {
      const connection = await mysql.createConnection({
        uri: url,
        charset: 'utf8mb4',
        dateStrings: true,
        decimalNumbers: true,
      });
      const [rows] = await connection.query<mysql.RowDataPacket[]>(sql);
      await connection.end();
      return Array.isArray(rows) ? rows.map((row) => ({ ...row })) : [];
    },
    cutOff: () => server.kill(),
    restore: () => server.restart(),
    dispose: () => server.stop(),
  };
}

/** Both kinds of store, for `describe.each`. */
export const STORES = [
  { kind: 'libsql' as const, makeFixture: libsqlFixture },
  { kind: 'mysql' as const, makeFixture: mysqlFixture },
];

/** What `describeStores` gives to its body; to be asked in tests and hooks, where there is one. */
export interface GivenStore {
  readonly kind: (typeof STORES)[number]['kind'];
  readonly fixture: () => StoreFixture;
  /** An empty store, its schema up to date. */
  readonly store: () => MetricsStore;
}

/** Runs a specification on every kind of store; `name` has `$kind` in it. */
export function describeStores(name: string, body: (given: GivenStore) => void): void {
  describe.each(STORES)(name, ({ kind, makeFixture }) => {
    let fixture: StoreFixture;
    let store: MetricsStore;

    beforeAll(async () => {
      fixture = await makeFixture();
    });
    afterAll(() => fixture.dispose());
    beforeEach(async () => {
      await fixture.reset();
      store = fixture.open();
      await store.migrate();
    });
    afterEach(() => store.close());

    body({ kind, fixture: () => fixture, store: () => store });
  });
}
