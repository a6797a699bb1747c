import { randomUUID } from 'node:crypto';
import { TransactionRollbackError } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import type { Connection } from 'mysql2/promise';
import { sessionBatches } from '../batch.ts';
import { parseMetricsWindow } from '../window-schema.ts';
import { applyBatches } from './apply.ts';

/**
 * Stores a window of a student whom no school has, as a delivery does, and takes it back. Leaves nothing but a number that no
 * session gets. Rejects with what the driver says.
 */
export async function tryStoring(connection: Connection, nowMs: number): Promise<void> {
  const endedAtMs = Math.round(nowMs);
  const startedAtMs = endedAtMs - 1000;
  const counts = ['unfocusedMs', 'unknownMs', 'untrackedMs', 'framesReceived', 'framesProcessed', 'framesDropped'];
  const window = parseMetricsWindow({
    ...Object.fromEntries(
      [...counts, 'framesWithFace', 'bytesUp', 'bytesDown', 'gatewayMsSum', 'epoch', 'seq', 'moduleId'].map((name) => [
        name,
        0,
      ]),
    ),
    sessionId: randomUUID(),
    userId: 2_147_483_647,
    sectionId: null,
    sessionStartedAtMs: startedAtMs,
    startedAtMs,
    endedAtMs,
    focusedMs: 1000,
    directionMs: { centered: 1000 },
    bouts: [{ kind: 'focused', startedAtMs, durationMs: 1000 }],
    mode: 'server',
    rule: 'geometric',
    final: true,
  });
  try {
    await drizzle({ client: connection }).transaction(async (tx) => {
      await applyBatches(tx, sessionBatches([window]));
      tx.rollback();
    });
  } catch (error) {
    if (!(error instanceof TransactionRollbackError)) throw error;
  }
}
