import path from 'node:path';
import { describeError, RelayError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { createMutex, type Mutex } from '../lib/mutex.ts';
import { openCheckpoints } from './checkpoints.ts';
import type { WindowSource } from './delivery-loop.ts';
import { openQueueFile, type QueueFile } from './queue-file.ts';
import type { SetAsideEntry } from './queue-row.ts';

/** The file's name is older than the word "queue": a gateway that is updated finds what it has left. */
const QUEUE_FILE = 'spool.db';

interface PendingAppend {
  readonly sessionId: string;
  readonly body: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Windows in this gateway's file, and what its running sessions have counted since their last ones. */
export interface FileWindows extends WindowSource {
  readonly file: QueueFile;
  /** The file takes one task at a time. */
  readonly run: Mutex['run'];
  /** Resolves when the window is on the disk. Rejects with RelayError `spool_failed`. */
  append(window: MetricsWindow): Promise<void>;
  /** Resolves when the appends made so far have ended. */
  appended(): Promise<void>;
  /** See DeliveryQueue. */
  checkpoint(open: readonly MetricsWindow[], goneSessionIds: readonly string[]): Promise<void>;
  /** Age of the window that has waited longest, ms; null if none waits. */
  oldestAgeMs(): number | null;
  setAsideCount(): number;
  setAside(): Promise<SetAsideEntry[]>;
  /** Deletes a student's entries that were set aside. */
  forgetStudent(userId: number): Promise<void>;
  /** What is written after this is not. Always resolves. */
  close(): Promise<void>;
}

const entryOf = (window: MetricsWindow) => ({
  sessionId: window.sessionId.toLowerCase(),
  body: JSON.stringify(window),
});

/**
 * Opens the files in `dataDir`, making what is missing, and appends what the sessions of a killed gateway had counted.
 * `onAppended` is called after each write of windows. Throws RelayError `spool_failed`.
 */
export async function openFileWindows(
  dataDir: string,
  logger: Logger,
  clock: Clock,
  onAppended: () => void,
): Promise<FileWindows> {
  const file = await openQueueFile(path.join(dataDir, QUEUE_FILE), logger, clock.nowMs());
  const { run } = createMutex();
  const checkpoints = await openCheckpoints(dataDir, logger, clock.nowMs());
  const recovered = await checkpoints.recover();
  if (recovered.length > 0) {
    await file.append(recovered.map(entryOf), clock.nowMs());
    await checkpoints.write(
      [],
      recovered.map(({ sessionId }) => sessionId),
    );
    logger.info({ windows: recovered.length }, 'open windows of a gateway that was killed are recovered');
  }
  let stats = await file.stats();
  let pendingAppends: PendingAppend[] = [];
  let isClosed = false;

  function writeAppends(): void {
    void run(async () => {
      // Everything that has come while the batch before was written shares one commit.
      const entries = pendingAppends;
      pendingAppends = [];
      if (entries.length === 0) return;
      const appendedAtMs = clock.nowMs();
      try {
        await file.append(entries, appendedAtMs);
      } catch (error) {
        for (const { reject } of entries) reject(error);
        return;
      }
      stats = {
        ...stats,
        waiting: stats.waiting + entries.length,
        oldestAppendedAtMs: stats.oldestAppendedAtMs ?? appendedAtMs,
      };
      for (const { resolve } of entries) resolve();
      onAppended();
    });
  }

  return {
    file,
    run,
    append(window) {
      if (isClosed) return Promise.reject(new RelayError('spool_closed', 'the delivery queue is closed'));
      return new Promise((resolve, reject) => {
        pendingAppends.push({ ...entryOf(window), resolve, reject });
        if (pendingAppends.length === 1) writeAppends();
      });
    },
    appended: () => run(async () => undefined),
    checkpoint: checkpoints.write,
    count: () => stats.waiting,
    async recount() {
      stats = await run(() => file.stats());
    },
    waiting: (limit) => run(() => file.waiting(limit)),
    resolve: (outcome, changes) =>
      run(async () => {
        if (isClosed) return;
        const { removed, putAside } = await file.resolve(outcome, changes);
        stats = {
          waiting: stats.waiting - removed - putAside,
          setAside: stats.setAside + putAside,
          oldestAppendedAtMs: await file.oldestAppendedAtMs(),
        };
      }),
    oldestAgeMs: () =>
      stats.oldestAppendedAtMs === null ? null : Math.max(0, clock.nowMs() - stats.oldestAppendedAtMs),
    setAsideCount: () => stats.setAside,
    setAside: () => run(async () => (await file.setAside()).map(({ body, error }) => ({ body, error }))),
    forgetStudent: (userId) =>
      run(async () => {
        await file.forgetStudent(userId);
        stats = await file.stats();
      }),
    close: () =>
      run(async () => {
        isClosed = true;
        for (const opened of [file, checkpoints]) {
          try {
            opened.close();
          } catch (error) {
            logger.warn({ code: 'spool_failed', error: describeError(error) }, 'a file of the queue did not close');
          }
        }
      }),
  };
}
