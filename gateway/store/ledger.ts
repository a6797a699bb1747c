import type { MetricsWindow } from '../../shared/metrics-window.ts';
import { chunksOf, type EpochSpan, isLateWord, keyRanges } from './batch.ts';
import type { MetricsStore } from './port.ts';
import { windowKey } from './records.ts';

type LedgerWindow = Pick<MetricsWindow, 'sessionId' | 'epoch' | 'seq' | 'startedAtMs' | 'endedAtMs'>;

const RANGES_PER_STATEMENT = 50;

/**
 * Which of these windows the ledger has, by their keys (records.ts, windowKey), and which it takes no more because they are
 * late words. Rejects with `store_unreachable`.
 */
export async function storedKeys(
  store: Pick<MetricsStore, 'execute'>,
  windows: readonly LedgerWindow[],
): Promise<ReadonlySet<string>> {
  const stored = new Set<string>();
  for (const chunk of chunksOf(keyRanges(windows), RANGES_PER_STATEMENT)) {
    const some = chunk.map(() => '(s.session_uuid = ? AND w.epoch = ? AND w.seq BETWEEN ? AND ?)').join(' OR ');
    const [found] = await store.execute([
      {
        sql: `SELECT s.session_uuid AS session_uuid, w.epoch AS epoch, w.seq AS seq FROM relay_sessions s
          JOIN relay_windows w ON w.session_id = s.id
          WHERE s.session_uuid IN (${chunk.map(() => '?').join(', ')}) AND (${some})`,
        values: [
          ...chunk.map(({ sessionId }) => sessionId),
          ...chunk.flatMap(({ sessionId, epoch, minSeq, maxSeq }) => [sessionId, epoch, minSeq, maxSeq]),
        ],
      },
    ]);
    for (const { session_uuid, epoch, seq } of found?.rows ?? []) {
      stored.add(windowKey({ sessionId: String(session_uuid), epoch: Number(epoch), seq: Number(seq) }));
    }
  }
  const missing = windows.filter((window) => !stored.has(windowKey(window)));
  const spans = await epochsOf(store, [...new Set(missing.map(({ sessionId }) => sessionId))]);
  for (const window of missing) {
    const ofSession = spans.filter(({ sessionId }) => sessionId === window.sessionId.toLowerCase());
    if (isLateWord(window, ofSession)) stored.add(windowKey(window));
  }
  return stored;
}

/** What the epochs of these sessions cover, by the sessions' own ids. */
async function epochsOf(
  store: Pick<MetricsStore, 'execute'>,
  sessionIds: readonly string[],
): Promise<readonly EpochSpan[]> {
  const spans: EpochSpan[] = [];
  for (const chunk of chunksOf(sessionIds, RANGES_PER_STATEMENT)) {
    const [found] = await store.execute([
      {
        sql: `SELECT s.session_uuid AS session_uuid, w.epoch AS epoch,
            MIN(w.started_at_ms) AS started_at_ms, MAX(w.ended_at_ms) AS ended_at_ms
          FROM relay_sessions s JOIN relay_windows w ON w.session_id = s.id
          WHERE s.session_uuid IN (${chunk.map(() => '?').join(', ')})
          GROUP BY s.session_uuid, w.epoch`,
        values: chunk,
      },
    ]);
    for (const { session_uuid, epoch, started_at_ms, ended_at_ms } of found?.rows ?? []) {
      spans.push({
        sessionId: String(session_uuid).toLowerCase(),
        epoch: Number(epoch),
        startedAtMs: Number(started_at_ms),
        endedAtMs: Number(ended_at_ms),
      });
    }
  }
  return spans;
}
