import path from 'node:path';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { openSoundFile } from '../lib/damaged-file.ts';
import type { Logger } from '../lib/logger.ts';
import { blockingTransaction, connectBlocking, fileError, textOf } from '../lib/sqlite-file.ts';
import { parseMetricsWindow } from '../store/window-schema.ts';

const CHECKPOINT_FILE = 'open-windows.db';

/**
 * What running sessions have counted since their last window, so that a killed gateway loses next to nothing
 * of it: one row for each session, written over again and again. A row has the key of the window that it will become, so it
 * does no harm when that window was saved after all. Commits do not wait for the disk: they outlive the process,
 * and a power cut costs the open windows alone.
 */
export interface Checkpoints {
  /** Windows that were open when the process before ended. */
  recover(): Promise<MetricsWindow[]>;
  /** Writes what is open now and forgets sessions that have ended. Rejects with RelayError `spool_failed`. */
  write(open: readonly MetricsWindow[], goneSessionIds: readonly string[]): Promise<void>;
  close(): void;
}

/** Opens the file in `dataDir`, making both if need be; a damaged file is set aside at `nowMs`, UTC. Throws RelayError `spool_failed`. */
export async function openCheckpoints(dataDir: string, logger: Logger, nowMs: number): Promise<Checkpoints> {
  const file = path.join(dataDir, CHECKPOINT_FILE);
  const sound = await openSoundFile(
    file,
    'CREATE TABLE IF NOT EXISTS open_windows (session_id TEXT PRIMARY KEY, body TEXT NOT NULL);',
    logger,
    nowMs,
  );
  sound.close();
  // A small write costs less than waking another thread for it, and it never waits for the disk.
  const connection = connectBlocking(file);
  connection.exec('PRAGMA synchronous = OFF;');
  const upsert = connection.prepare(
    'INSERT INTO open_windows (session_id, body) VALUES (?, ?) ON CONFLICT (session_id) DO UPDATE SET body = excluded.body',
  );
  const remove = connection.prepare('DELETE FROM open_windows WHERE session_id = ?');
  const selectAll = connection.prepare('SELECT body FROM open_windows');
  return {
    async recover() {
      return selectAll.all([]).flatMap((row) => {
        try {
          return [parseMetricsWindow(JSON.parse(textOf(row, 'body')))];
        } catch {
          return [];
        }
      });
    },
    async write(open, goneSessionIds) {
      try {
        blockingTransaction(connection, () => {
          for (const sessionId of goneSessionIds) remove.run([sessionId]);
          for (const window of open) upsert.run([window.sessionId, JSON.stringify(window)]);
        });
      } catch (error) {
        throw fileError(file, 'write', error);
      }
    },
    close: () => connection.close(),
  };
}
