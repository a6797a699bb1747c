import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';
import { Peer } from '../../harness/peer.ts';
import { type Product, startProduct } from '../../harness/product.ts';
import { waitFor } from '../../harness/wait-for.ts';

let database: MariaDb;
let observer: mysql.Connection;
let product: Product;

beforeAll(async () => {
  database = await startMariaDb();
  const url = await database.createDatabase('idle');
  observer = await mysql.createConnection(url);
  product = await startProduct({ MYSQL_URL: url, IDLE_AFTER_MS: '1000', RESUME_GRACE_MS: '200' });
});

afterAll(async () => {
  await product?.stop();
  await observer?.end();
  await database?.stop();
});

/** Connections to the database other than the test's own. */
async function databaseConnections(): Promise<number> {
  const [rows] = await observer.query<mysql.RowDataPacket[]>(
    "SELECT COUNT(*) AS connections FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = 'idle'",
  );
  return Number(rows[0]?.connections);
}

async function inferenceLinks(): Promise<number> {
  const status = (await (await fetch(`http://127.0.0.1:${product.inference().port}/readyz`)).json()) as {
    links: number;
  };
  return status.links;
}

async function study(userId: number): Promise<void> {
  const { ticket } = (await (await fetch(new URL(`/dev/ticket?userId=${userId}`, product.url))).json()) as {
    ticket: string;
  };
  const peer = await Peer.open(product.url);
  await peer.hello(ticket);
  await peer.start();
  peer.send({ kind: 'same', seq: 0, captureMs: 300, late: false });
  await peer.update(0);
  await waitFor('an inference link', async () => (await inferenceLinks()) === 1);
  expect((await peer.stop(400)).saved).toBe(true);
  await peer.close();
}

describe('an idle gateway', () => {
  it('holds no database connection and no inference link once the last student is gone, and serves the next one', async () => {
    await study(1);
    await waitFor('no inference link', async () => (await inferenceLinks()) === 0);
    await waitFor('no database connection', async () => (await databaseConnections()) === 0);
    await study(2);
    await waitFor('no inference link', async () => (await inferenceLinks()) === 0);
    await waitFor('no database connection', async () => (await databaseConnections()) === 0);
    const [rows] = await observer.query<mysql.RowDataPacket[]>(
      'SELECT COUNT(*) AS sessions FROM relay_report_sessions',
    );
    expect(Number(rows[0]?.sessions)).toBe(2);
  });
});
