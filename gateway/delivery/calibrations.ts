import path from 'node:path';
import * as z from 'zod';
import type { BackoffPolicy } from '../../shared/backoff.ts';
import { describeError, RelayError } from '../../shared/errors.ts';
import { CALIBRATION_VERSION } from '../../shared/focus/calibration.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { openSoundFile } from '../lib/damaged-file.ts';
import type { Logger } from '../lib/logger.ts';
import { createMutex } from '../lib/mutex.ts';
import { fileError, numberOf, textOf, transaction } from '../lib/sqlite-file.ts';
import { within } from '../lib/timeout.ts';
import { type CalibrationRecord, keptOf, newestCalibration, saveCalibrations } from '../store/calibrations.ts';
import type { MetricsStore } from '../store/port.ts';
import { deliverInHalves } from './deliver.ts';
import { createRetryLoop } from './retry-loop.ts';

const FILE = 'calibrations.db';
const BATCH_SIZE = 50;
const CLOSE_GRACE_MS = 2000;

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
    const calibration = keptOf(record.calibration);
    return { id, record: calibration === null ? null : { ...record, calibration } };
  } catch {
    return { id, record: null };
  }
}

/**
 * Calibrations on their way to the store, in a file of their own: an unavailable database loses none, and students who return
 * meanwhile find theirs. They are few; windows, which are many and have to go in order, never wait for them.
 */
export interface CalibrationQueue {
  /** Resolves when it is on the disk. Rejects with RelayError `spool_failed`. */
  enqueue(record: CalibrationRecord): Promise<void>;
  /**
   * The newest calibration of a student on a device, stored or on its way; without one the newest own centre; null if there is neither.
   * Rejects with `store_unreachable`.
   */
  newest(userId: number, deviceId: string): Promise<CalibrationRecord | null>;
  /** Before a student's data is deleted from the store: waiting calibrations of theirs are not delivered. Rejects with `spool_failed`. */
  forgetStudent(userId: number): Promise<void>;
  /** Calibrations that wait for the store. */
  depth(): number;
  /** Waits a moment for the delivery under way and leaves the rest to the next start. Always resolves; safe to call twice. */
  close(): Promise<void>;
}

export interface CalibrationQueueOptions {
  readonly dataDir: string;
  readonly store: Pick<MetricsStore, 'execute'>;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly backoff?: BackoffPolicy;
}

/** Opens the file in `dataDir`, making both if need be, and resumes the delivery of what is in it. Throws RelayError `spool_failed`. */
export async function openCalibrationQueue(options: CalibrationQueueOptions): Promise<CalibrationQueue> {
  const { dataDir, store, logger, clock = systemClock, random = Math.random } = options;
  const file = path.join(dataDir, FILE);
  const connection = await openSoundFile(file, SCHEMA, logger, clock.nowMs());
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
  const deliveryMutex = createMutex();
  let depth = numberOf((await count.all([]))[0], 'n');
  let closing: Promise<void> | null = null;
  let closed = false;

  /** One change of the file; the number that waits is counted again with it. */
  function write(work: () => void): Promise<void> {
    return mutex.run(async () => {
      // What the store took while the file was being closed is delivered again by the next start, and is there once.
      if (closed) return;
      try {
        await transaction(connection, work);
        depth = numberOf((await count.all([]))[0], 'n');
      } catch (error) {
        throw fileError(file, 'write', error);
      }
    });
  }

  async function deliverBatch(): Promise<number> {
    const rows = await mutex.run(() => selectWaiting.all([BATCH_SIZE]));
    const { deliveredIds, setAside, failure } = await deliverInHalves(rows.map(waitingOf), (part) =>
      saveCalibrations(
        store,
        part.flatMap(({ record }) => (record === null ? [] : [record])),
      ),
    );
    for (const { error } of setAside) {
      logger.error({ code: 'calibration_set_aside', error }, 'the store refuses a calibration');
    }
    await write(() => {
      for (const id of deliveredIds) remove.run([id]);
      for (const { id, error } of setAside) putAside.run([error, id]);
    });
    if (failure !== null) throw failure;
    return 0;
  }

  const loop = createRetryLoop({
    hasWork: () => depth > 0,
    deliver: () => deliveryMutex.run(deliverBatch),
    failed: (error, retryInMs) =>
      logger.warn({ error: describeError(error), waiting: depth, retryInMs }, 'calibrations wait for the store'),
    recovered: () => undefined,
    clock,
    random,
    backoff: options.backoff,
  });

  loop.start();
  return {
    async enqueue(record) {
      if (closing !== null) throw new RelayError('spool_closed', 'the gateway is shutting down');
      await write(() => void insert.run([record.userId, record.deviceId, JSON.stringify(record)]));
      loop.start();
    },
    async newest(userId, deviceId) {
      const rows = await mutex.run(() => selectOfDevice.all([userId, deviceId]));
      const waiting = rows.map(waitingOf).flatMap(({ record }) => (record === null ? [] : [record]));
      const isCalibration = ({ calibration }: CalibrationRecord) => !('centre' in calibration);
      const calibration = waiting.find(isCalibration);
      if (calibration !== undefined) return calibration;
      const stored = await newestCalibration(store, userId, deviceId, CALIBRATION_VERSION);
      return stored !== null && isCalibration(stored) ? stored : (waiting[0] ?? stored);
    },
    forgetStudent: (userId) =>
      // What is being delivered now is in the store before it is deleted there.
      deliveryMutex.run(() => write(() => void removeOfStudent.run([userId]))),
    depth: () => depth,
    close() {
      closing ??= (async () => {
        await within(loop.stop(), CLOSE_GRACE_MS, undefined, clock);
        await mutex.run(async () => {
          closed = true;
          try {
            connection.close();
          } catch (error) {
            logger.warn({ code: 'spool_failed', error: describeError(error) }, 'a file did not close');
          }
        });
      })();
      return closing;
    },
  };
}
