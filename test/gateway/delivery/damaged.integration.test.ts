import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoints } from '../../../gateway/delivery/checkpoints.ts';
import { type DeliveryQueue, openQueue } from '../../../gateway/delivery/queue.ts';
import { openQueueFile, type QueueFile } from '../../../gateway/delivery/queue-file.ts';
import { readRow } from '../../../gateway/delivery/queue-row.ts';
import { isSound } from '../../../gateway/lib/damaged-file.ts';
import { isSetAside } from '../../../gateway/lib/sqlite-file.ts';
import { SILENT } from '../../../harness/gateway.ts';
import { RelayError } from '../../../shared/errors.ts';
import type { MetricsWindow } from '../../../shared/metrics-window.ts';
import { captureLog } from '../../support/log-capture.ts';
import { metricsWindow } from '../store/windows.ts';

const WINDOWS = 400;
const PAGE_BYTES = 4096;
const away = {
  applyWindows: () => Promise.reject(new RelayError('store_unreachable', 'the store is away')),
};

describe('damaged files of the data folder', () => {
  let source: string;
  let folder: string;
  let log = captureLog();
  let written: QueueFile;
  const queues: DeliveryQueue[] = [];

  beforeEach(async () => {
    source = await mkdtemp(path.join(os.tmpdir(), 'relay-damaged-source-'));
    folder = await mkdtemp(path.join(os.tmpdir(), 'relay-damaged-'));
    log = captureLog();
    written = await openQueueFile(path.join(source, 'spool.db'), SILENT, 0);
  });
  afterEach(async () => {
    for (const queue of queues.splice(0)) await queue.close();
    written.close();
    for (const each of [source, folder]) await rm(each, { recursive: true, force: true });
  });

  const fileOf = (name: string) => path.join(folder, name);
  const entry = (index: number) => {
    const window = metricsWindow({ seq: index });
    return { sessionId: window.sessionId, body: JSON.stringify(window) };
  };

  /** What a killed gateway leaves: its files as they are, with 400 windows, in a folder of their own. */
  async function killedGateway(where: 'in the file' | 'in the log'): Promise<void> {
    for (let from = 0; from < WINDOWS; from += 10) {
      await written.append(
        Array.from({ length: 10 }, (_, offset) => entry(from + offset)),
        0,
      );
    }
    if (where === 'in the file') await written.connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    await cp(source, folder, { recursive: true });
    await rm(fileOf('spool.db-shm'), { force: true });
  }

  async function damage(name: string, change: (bytes: Buffer) => void): Promise<void> {
    const bytes = await readFile(fileOf(name));
    change(bytes);
    await writeFile(fileOf(name), bytes);
  }

  async function open(): Promise<DeliveryQueue> {
    const queue = await openQueue({ dataDir: folder, store: away, logger: log.logger });
    queues.push(queue);
    return queue;
  }

  const damaged = () => log.entries.filter(({ fields }) => fields.code === 'file_damaged').map(({ fields }) => fields);
  /** Without the logs that went along with a file. */
  const setAside = async () => (await readdir(folder)).filter((name) => isSetAside(name) && !name.endsWith('-wal'));

  it('a sound file stays as it is', async () => {
    await killedGateway('in the log');
    expect((await open()).depth()).toBe(WINDOWS);
    expect(damaged()).toEqual([]);
    expect(await setAside()).toEqual([]);
  });

  it('every page of the queue may be damaged: the others are saved, and the gateway starts', async () => {
    await killedGateway('in the file');
    const { size } = await stat(fileOf('spool.db'));
    const whole = await readFile(fileOf('spool.db'));
    const saved: number[] = [];
    for (let page = 0; page < size / PAGE_BYTES; page += 7) {
      for (const name of await readdir(folder)) await rm(fileOf(name));
      await writeFile(fileOf('spool.db'), whole);
      await damage('spool.db', (bytes) => bytes.fill(0xff, page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
      log = captureLog();
      const queue = await open();
      expect(damaged()).toMatchObject([{ file: fileOf('spool.db'), savedRows: queue.depth() }]);
      expect(await setAside()).toHaveLength(1);
      await queue.append(metricsWindow({ seq: WINDOWS }));
      saved.push(queue.depth() - 1);
      await queue.close();
      expect(isSound(fileOf('spool.db'))).toBe(true);
      expect(existsSync(fileOf('spool.db.repaired'))).toBe(false);
    }
    // One page of windows has a few of them; the root of the table, or an index, may be hit as well.
    expect(saved.filter((rows) => rows >= WINDOWS - 20).length).toBeGreaterThanOrEqual(saved.length - 1);
  });

  it('a number that has changed on the disk is found by its checksum: that window is set aside, the others are delivered', async () => {
    await killedGateway('in the file');
    await damage('spool.db', (bytes) => {
      // The newest: an older copy may lie in a page that is free.
      const at = bytes.lastIndexOf('"focusedMs":20250');
      expect(at).toBeGreaterThan(0);
      bytes.write('9', at + '"focusedMs":'.length);
    });
    const stored: number[] = [];
    const store = {
      async applyWindows(windows: readonly MetricsWindow[]) {
        stored.push(...windows.map(({ focusedMs }) => focusedMs));
        return { applied: windows.length, repeated: 0 };
      },
    };
    const queue = await openQueue({ dataDir: folder, store, logger: log.logger });
    queues.push(queue);
    await expect.poll(() => queue.depth(), { timeout: 20_000 }).toBe(0);
    expect([stored.length, new Set(stored)]).toEqual([WINDOWS - 1, new Set([20_250])]);
    expect((await queue.setAside()).map(({ error }) => error)).toEqual([
      expect.stringMatching(/damaged: its checksum/),
    ]);
  });

  it('a second start finds a sound file, in the order in which the windows were appended', async () => {
    await killedGateway('in the file');
    const pages = (await stat(fileOf('spool.db'))).size / PAGE_BYTES;
    await damage('spool.db', (bytes) => bytes.fill(0xff, (pages >> 1) * PAGE_BYTES, ((pages >> 1) + 1) * PAGE_BYTES));
    await (await open()).close();
    log = captureLog();
    await (await open()).close();
    expect(damaged()).toEqual([]);
    const file = await openQueueFile(fileOf('spool.db'), log.logger, 0);
    const rows = await file.waiting(WINDOWS);
    file.close();
    const indexes = rows.map(({ body }) => JSON.parse(body).seq);
    expect(indexes.length).toBeGreaterThan(WINDOWS - 20);
    expect(indexes).toEqual([...indexes].sort((one, other) => one - other));
  });

  it.each([
    ['header', 100],
    ['first page', PAGE_BYTES],
  ])('a queue without its %s loses no window', async (_part, bytesLost) => {
    await killedGateway('in the file');
    await damage('spool.db', (bytes) => bytes.fill(0x41, 0, bytesLost));
    const queue = await open();
    expect(queue.depth()).toBe(WINDOWS);
    expect(damaged()).toMatchObject([{ file: fileOf('spool.db') }]);
    expect((await readdir(folder)).filter((name) => /pattern|copy|repaired/.test(name))).toEqual([]);
    expect(await setAside()).toHaveLength(1);
    await queue.append(metricsWindow({ seq: WINDOWS }));
    await queue.close();
    const file = await openQueueFile(fileOf('spool.db'), log.logger, 0);
    const rows = await file.waiting(2 * WINDOWS);
    file.close();
    expect(rows.map((row) => readRow(row).seq)).toEqual(Array.from({ length: WINDOWS + 1 }, (_, seq) => seq));
  });

  it('a process killed between the two names ends the exchange at its next start', async () => {
    await killedGateway('in the file');
    await cp(fileOf('spool.db'), fileOf('spool.db.repaired'));
    await rm(fileOf('spool.db'));
    expect((await open()).depth()).toBe(WINDOWS);
  });

  it('a damaged write-ahead log is copied, and the number of its lost changes is in the log, once', async () => {
    await killedGateway('in the log');
    const { size } = await stat(fileOf('spool.db-wal'));
    await damage('spool.db-wal', (bytes) => bytes.writeUInt8(bytes.readUInt8(size >> 1) ^ 0x55, size >> 1));
    const queue = await open();
    expect(queue.depth()).toBeGreaterThan(0);
    expect(queue.depth()).toBeLessThan(WINDOWS);
    expect(damaged()).toMatchObject([{ file: fileOf('spool.db'), lostFrames: expect.any(Number) }]);
    const [copy = ''] = await setAside();
    expect((await stat(fileOf(copy))).size).toBe(size);
    await queue.close();
    log = captureLog();
    await open();
    expect(damaged()).toEqual([]);
  });

  it('a write-ahead log without its header is copied too', async () => {
    await killedGateway('in the log');
    await damage('spool.db-wal', (bytes) => bytes.fill(0x41, 0, 32));
    await open();
    expect(damaged()[0]).toMatchObject({ lostFrames: 1 });
    expect(await setAside()).not.toEqual([]);
  });

  it('a write-ahead log that ends within a transaction is what a kill leaves, and no damage', async () => {
    await killedGateway('in the log');
    const wal = await readFile(fileOf('spool.db-wal'));
    await writeFile(fileOf('spool.db-wal'), wal.subarray(0, wal.length - 100));
    await open();
    expect(damaged()).toEqual([]);
  });

  it('open windows that are damaged keep no gateway from starting', async () => {
    const checkpoints = await openCheckpoints(source, SILENT, 0);
    await checkpoints.write([metricsWindow()], []);
    await cp(source, folder, { recursive: true });
    checkpoints.close();
    await writeFile(fileOf('open-windows.db'), Buffer.alloc(3 * PAGE_BYTES, 0x41));
    for (const part of ['-wal', '-shm']) await rm(fileOf(`open-windows.db${part}`), { force: true });
    const queue = await open();
    expect(damaged()).toMatchObject([{ file: fileOf('open-windows.db'), savedRows: 0 }]);
    await queue.checkpoint([metricsWindow()], []);
  });
});
