import { readFile } from 'node:fs/promises';
import mysql from 'mysql2/promise';
import { startMariaDb } from '../../harness/mariadb.ts';
import { Peer } from '../../harness/peer.ts';
import { startProduct } from '../../harness/product.ts';
import { waitFor } from '../../harness/wait-for.ts';

/**
 * Runs in a network namespace of its own: a student comes and goes, then everything is left alone.
 * Prints as JSON how many packets crossed the loopback interface in that silence, and that the
 * student after it is served.
 */
const SILENCE_MS = 4000;

async function loopbackPackets(): Promise<number> {
  const line = (await readFile('/proc/net/dev', 'utf8')).split('\n').find((text) => text.trim().startsWith('lo:'));
  const packets = line?.split(':')[1]?.trim().split(/\s+/)[1];
  if (packets === undefined) throw new Error('no loopback interface');
  return Number(packets);
}

const database = await startMariaDb();
const url = await database.createDatabase('idle');
const product = await startProduct({ MYSQL_URL: url, IDLE_AFTER_MS: '1000', RESUME_GRACE_MS: '200' });

async function study(userId: number): Promise<boolean> {
  const answer = await fetch(new URL(`/dev/ticket?userId=${userId}`, product.url), {
    headers: { connection: 'close' },
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  const peer = await Peer.open(product.url);
  await peer.hello(ticket);
  await peer.start();
  peer.send({ kind: 'same', seq: 0, captureMs: 300, late: false });
  await peer.update(0);
  const { saved } = await peer.stop(400);
  await peer.close();
  return saved;
}

await study(1);
await waitFor('connections and links to close', async () => {
  const observer = await mysql.createConnection(url);
  const [rows] = await observer.query<mysql.RowDataPacket[]>(
    'SELECT COUNT(*) AS others FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db IS NOT NULL',
  );
  await observer.end();
  const ready = await fetch(`http://127.0.0.1:${product.inference().port}/readyz`, {
    headers: { connection: 'close' },
  });
  const { links } = (await ready.json()) as { links: number };
  return Number(rows[0]?.others) === 0 && links === 0;
});
// What the questions above left behind (closing handshakes) ends first.
let before = await loopbackPackets();
await waitFor('closing handshakes to end', async () => {
  const now = await loopbackPackets();
  const quiet = now === before;
  before = now;
  return quiet;
});
await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
const packets = (await loopbackPackets()) - before;
const servedAfterwards = await study(2);
await product.stop();
await database.stop();
process.stdout.write(`${JSON.stringify({ packets, servedAfterwards })}\n`);
process.exit(0);
