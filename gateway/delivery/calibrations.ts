import path from 'node:path';
import * as z from 'zod';
import { describeError, RelayError } from '../../shared/errors.ts';
import { CALIBRATION_VERSION, calibrationOf } from '../../shared/focus/calibration.ts';
import { type BackoffPolicy, backoffMs } from '../lib/backoff.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { createMutex } from '../lib/mutex.ts';
import { fileError, numberOf, openFile, textOf, transaction } from '../lib/sqlite-file.ts';
import { type CalibrationRecord, newestCalibration, saveCalibrations } from '../store/calibrations.ts';
import type { MetricsStore } from '../store/port.ts';
import { handOver } from './deliver.ts';

const FILE = 'calibrations.db';
const BATCH_SIZE = 50;
const CLOSE_GRACE_MS = 2000;
const BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 60_000 };

const SCHEMA = `
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  CREATE TABLE IF NOT EXISTS waiting_calibrations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    body TEXT NOT NULL,
    error TEXT
  );
  CREATE INDEX IF NOT EXISTS waiting_calibrations_device ON waiting_calibrations (user_id, device_id, id);
`;

const recordSchema = z.object({
  userId: z.int().min(1),
  deviceId: z.uuid(),
  createdAtMs: z.int().min(0),
  pointCount: z.int().min(0),
  calibration: z.unknown(),
});

interface Waiting {
  readonly id: number;
  /** Null when it is of another version or unreadable. */
  readonly record: CalibrationRecord | null;
}

function waitingOf(row: unknown): Waiting {
  const id = numberOf(row, 'id');
  try {
    const record = recordSchema.parse(JSON.parse(textOf(row, 'body')));
    const calibration = calibrationOf(record.calibration);
    return { id, record: calibration === null ? null : { ...record, calibration } };
  } catch {
    return { id, record: null };
  }
}

/**
 * Calibrations on their way to the store, in a file of their own: a database that is away loses none, and a student who comes
 * back meanwhile finds theirs. They are few, so that windows, which are many and have to go in order, never wait for them.
 */
export interface CalibrationKeeper {
  /** Resolves when it is on the disk. Rejects with RelayError `spool_failed`. */
  keep(record: CalibrationRecord): Promise<void>;
  /** The newest of a student on a device, stored or on its way, null if there is none. Rejects with `store_unreachable`. */
  newest(userId: number, deviceId: string): Promise<CalibrationRecord | null>;
  /** Before a student's data is deleted from the store: what waits of theirs is not delivered any more. Rejects with `spool_failed`. */
  forgetStudent(userId: number): Promise<void>;
  /** Calibrations that wait for the store. */
  depth(): number;
  /** Gives the delivery under way a moment to end, and keeps what is left for the next start. */
  close(): Promise<void>;
}

export interface CalibrationKeeperOptions {
  readonly dataDir: string;
  readonly store: Pick<MetricsStore, 'execute'>;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly backoff?: BackoffPolicy;
}

/** Opens the file in `dataDir`, making both if need be, and goes on delivering what is in it. Throws RelayError `spool_failed`. */
export async function openCalibrationKeeper(options: CalibrationKeeperOptions): Promise<CalibrationKeeper> {
  const { dataDir, store, logger, clock = systemClock, random = Math.random, backoff = BACKOFF } = options;
  const file = path.join(dataDir, FILE);
  const connection = await openFile(file, SCHEMA);
  const insert = await connection.prepare(
    'INSERT INTO waiting_calibrations (user_id, device_id, body) VALUES (?, ?, ?)',
  );
  const remove = await connection.prepare('DELETE FROM waiting_calibrations WHERE id = ?');
  const putAside = await connection.prepare('UPDATE waiting_calibrations SET error = ? WHERE id = ?');
  const selectWaiting = await connection.prepare(
    'SELECT id, body FROM waiting_calibrations WHERE error IS NULL ORDER BY id LIMIT ?',
  );
  const selectOfDevice = await connection.prepare(
    'SELECT id, body FROM waiting_calibrations WHERE user_id = ? AND device_id = ? ORDER BY id DESC',
  );
  const count = await connection.prepare('SELECT COUNT(*) AS n FROM waiting_calibrations WHERE error IS NULL');
  const removeOfStudent = await connection.prepare('DELETE FROM waiting_calibrations WHERE user_id = ?');
  const mutex = createMutex();
  const waitingCount = async (): Promise<number> => numberOf((await count.all([]))[0], 'n');
  let depth = await waitingCount();
  let failures = 0;
  let delivering: Promise<void> | null = null;
  let cancelRetry: (() => void) | null = null;
  let closing: Promise<void> | null = null;
  let closed = false;

  async function settle(delivered: readonly number[], aside: readonly { id: number; error: string }[]): Promise<void> {
    await mutex.run(async () => {
      // What the store took while the file was being closed is delivered once more by the next start, and is there once.
      if (closed) return;
      await transaction(connection, () => {
        for (const id of delivered) remove.run([id]);
        for (const { id, error } of aside) putAside.run([error, id]);
      });
    });
    depth -= delivered.length + aside.length;
  }

  async function deliver(batch: readonly Waiting[]): Promise<void> {
    const { deliveredIds, setAside, failure } = await handOver(batch, (part) =>
      saveCalibrations(
        store,
        part.flatMap(({ record }) => (record === null ? [] : [record])),
      ),
    );
    for (const { error } of setAside) {
      logger.error({ code: 'calibration_set_aside', error }, 'the store refuses a calibration');
    }
    if (deliveredIds.length + setAside.length > 0) await settle(deliveredIds, setAside);
    if (failure !== null) throw failure;
  }

  async function deliverAll(): Promise<void> {
    try {
      while (closing === null) {
        const rows = await mutex.run(() => selectWaiting.all([BATCH_SIZE]));
        if (rows.length === 0) break;
        await deliver(rows.map(waitingOf));
      }
      failures = 0;
    } catch (error) {
      const retryInMs = backoffMs(backoff, failures, random);
      failures += 1;
      logger.warn({ error: describeError(error), waiting: depth, retryInMs }, 'calibrations wait for the store');
      if (closing !== null) return;
      cancelRetry = clock.after(retryInMs, () => {
        cancelRetry = null;
        start();
      });
    }
  }

  function start(): void {
    if (delivering !== null || cancelRetry !== null || closing !== null || depth === 0) return;
    delivering = deliverAll().finally(() => {
      delivering = null;
      start();
    });
  }

  start();
  return {
    async keep(record) {
      if (closing !== null) throw new RelayError('spool_closed', 'the gateway is shutting down');
      try {
        await mutex.run(() =>
          transaction(connection, () => {
            insert.run([record.userId, record.deviceId, JSON.stringify(record)]);
          }),
        );
      } catch (error) {
        throw fileError(file, 'write', error);
      }
      depth += 1;
      start();
    },
    async newest(userId, deviceId) {
      const rows = await mutex.run(() => selectOfDevice.all([userId, deviceId]));
      const [waiting] = rows.map(waitingOf).flatMap(({ record }) => (record === null ? [] : [record]));
      return waiting ?? newestCalibration(store, userId, deviceId, CALIBRATION_VERSION);
    },
    async forgetStudent(userId) {
      // What is being delivered now is in the store before it is deleted there.
      await delivering;
      try {
        depth = await mutex.run(async () => {
          await transaction(connection, () => removeOfStudent.run([userId]));
          return waitingCount();
        });
      } catch (error) {
        throw fileError(file, 'write', error);
      }
    },
    depth: () => depth,
    close() {
      closing ??= (async () => {
        cancelRetry?.();
        cancelRetry = null;
        let cancel: () => void = () => undefined;
        const late = new Promise<void>((resolve) => {
          cancel = clock.after(CLOSE_GRACE_MS, resolve);
        });
        await Promise.race([delivering, late]);
        cancel();
        await mutex.run(async () => {
          closed = true;
          connection.close();
        });
      })();
      return closing;
    },
  };
}
