import { identifier, joined, type SqlText, sql } from '../../store/mysql/statement.ts';
import type { MetricsStore } from '../../store/port.ts';
import type { Tables } from '../catalog.ts';
import { type WrittenTable, writtenTables } from '../tables.ts';
import type { Place } from './outbox.ts';

/** Stretches older than this have their events, or rows that PHP has made on another day. */
const DAYS = 2;

interface Edge {
  readonly focused: 'focus_start' | 'focus_end';
  readonly unfocused: 'unfocus_start' | 'unfocus_end';
  readonly atMs: SqlText;
  readonly durationS: SqlText;
}

const EDGES: readonly Edge[] = [
  { focused: 'focus_start', unfocused: 'unfocus_start', atMs: sql`b.started_at_ms`, durationS: sql`NULL` },
  {
    focused: 'focus_end',
    unfocused: 'unfocus_end',
    atMs: sql`b.started_at_ms + b.duration_ms`,
    durationS: sql`ROUND(b.duration_ms / 1000)`,
  },
];

/** Adds the starts, or the ends, of stored stretches to the newest row of their lesson section and day, once. */
function eventsQuery(rows: WrittenTable, events: WrittenTable, { userId, moduleId }: Place, edge: Edge): SqlText {
  const type = sql`CASE b.kind WHEN 'focused' THEN ${edge.focused} ELSE ${edge.unfocused} END`;
  const at = sql`FROM_UNIXTIME(FLOOR((${edge.atMs}) / 1000))`;
  const section = rows.columns.has('section_id')
    ? sql`AND t.section_id <=> NULLIF(GREATEST(COALESCE(b.section_id, 0), 0), 0)`
    : sql``;
  const row = sql`(SELECT MAX(t.id) FROM eye_tracking_sessions t WHERE t.user_id = b.user_id AND t.module_id = b.module_id ${section}
    AND t.created_at >= b.day AND t.created_at < b.day + INTERVAL 1 DAY)`;
  const values = new Map<string, SqlText>([
    ['session_id', row],
    ['event_type', type],
    ['timestamp', at],
    ['duration_seconds', edge.durationS],
    ...events.fillers,
  ]);
  const present = [...values].filter(([name]) => events.columns.has(name));
  return sql`INSERT INTO focus_events (${joined(
    present.map(([name]) => identifier(name)),
    ', ',
  )})
    SELECT ${joined(
      present.map(([, value]) => value),
      ', ',
    )}
    FROM relay_bouts b WHERE b.user_id = ${userId} AND b.module_id = ${moduleId} AND b.day >= CURRENT_DATE - INTERVAL ${DAYS} DAY
    AND ${row} IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM focus_events f JOIN eye_tracking_sessions r ON r.id = f.session_id
      WHERE r.user_id = b.user_id AND r.module_id = b.module_id AND f.event_type = ${type} AND f.timestamp = ${at})`;
}

/**
 * Writes the events of a student's stretches in a module to focus_events, under the rows that PHP has made: those that are not
 * there yet. Nothing where EyeLearn's tables do not tell rows by day. Rejects with `store_unreachable`.
 */
export async function completePhpRows(
  store: Pick<MetricsStore, 'execute'>,
  tables: Tables,
  place: Place,
): Promise<void> {
  const { eye_tracking_sessions: rows, focus_events: events } = writtenTables(tables).written;
  if (rows === undefined || events === undefined) return;
  if (!rows.columns.has('created_at') || !events.columns.has('timestamp')) return;
  await store.execute(EDGES.map((edge) => ({ sql: eventsQuery(rows, events, place, edge).text, values: [] })));
}
