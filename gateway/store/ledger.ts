import { chunksOf } from './batch.ts';
import type { MetricsStore } from './port.ts';
import { windowKey } from './records.ts';

interface WindowKey {
  readonly sessionId: string;
  readonly epoch: number;
  readonly seq: number;
}

const RANGES_PER_STATEMENT = 50;

/** Which of these windows the ledger has, by their keys (records.ts, windowKey). Rejects with `store_unreachable`. */
export async function storedKeys(
  store: Pick<MetricsStore, 'execute'>,
  windows: readonly WindowKey[],
): Promise<ReadonlySet<string>> {
  const ranges = new Map<string, { sessionId: string; epoch: number; minSeq: number; maxSeq: number }>();
  for (const { sessionId, epoch, seq } of windows) {
    const key = `${sessionId}/${epoch}`;
    const range = ranges.get(key);
    ranges.set(key, {
      sessionId,
      epoch,
      minSeq: Math.min(range?.minSeq ?? seq, seq),
      maxSeq: Math.max(range?.maxSeq ?? seq, seq),
    });
  }
  const stored = new Set<string>();
  for (const chunk of chunksOf([...ranges.values()], RANGES_PER_STATEMENT)) {
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
  return stored;
}
