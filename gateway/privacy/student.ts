import type { FolderRecords } from '../delivery/folder-records.ts';
import type { MetricsStore, Statement } from '../store/port.ts';
import type { PlatformRecords, TableStatement } from './platform-records.ts';

type Store = Pick<MetricsStore, 'execute' | 'kind'>;

const OWN_TABLES = ['relay_sessions', 'relay_windows', 'relay_hours', 'relay_calibrations'] as const;

/** Who does something with a student's data; no id for the operator. */
export interface Actor {
  readonly userId: number | null;
  readonly role: string;
}

type Cell = string | number | null;

/** All that is stored of one student, table by table, each row with its columns as they are. */
export interface StudentExport {
  readonly userId: number;
  readonly exportedAtMs: number;
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, Cell>>[]>>;
}

/**
 * Reads everything that is stored of a student: our own rows, those in the platform's tables, and what waits for the database in the
 * gateway's folder and in NATS. Rejects with `store_unreachable`, `spool_failed`, or as NATS does.
 */
export async function exportStudent(
  store: Store & Pick<MetricsStore, 'ready'>,
  platform: PlatformRecords,
  undelivered: Pick<FolderRecords, 'exportOf'>,
  userId: number,
  nowMs: number,
): Promise<StudentExport> {
  const own = (table: string, condition: string): TableStatement => [
    table,
    { sql: `SELECT * FROM ${table} WHERE ${condition}`, values: [userId] },
  ];
  const questions = [
    ...OWN_TABLES.map((table) => own(table, 'user_id = ?')),
    own('relay_bouts', 'session_id IN (SELECT id FROM relay_sessions WHERE user_id = ?)'),
    own('relay_audit', 'subject_user_id = ?'),
    ...(await platform.exportsOf(store, userId)),
  ];
  const waiting = await undelivered.exportOf(userId);
  const results = await store.execute(questions.map(([, statement]) => statement));
  const cellOf = (value: unknown): Cell => (value === null || typeof value === 'number' ? value : String(value));
  const tables = Object.fromEntries(
    questions.map(([table], index) => [
      table,
      (results[index]?.rows ?? []).map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, cellOf(value)])),
      ),
    ]),
  );
  return { userId, exportedAtMs: nowMs, tables: { ...tables, ...waiting } };
}

/**
 * Deletes all that is stored of a student, our rows in the platform's tables included, in one transaction, and leaves one
 * line in the audit log that says so. Resolves with the number of rows by table. Windows that wait in a gateway's queue
 * would come afterwards: end the student's sessions and let the queue run empty first. Rejects with `store_unreachable`.
 */
export async function deleteStudent(
  store: Store & Pick<MetricsStore, 'ready'>,
  platform: PlatformRecords,
  userId: number,
  nowMs: number,
  actor: Actor,
): Promise<Readonly<Record<string, number>>> {
  const ofSessions = 'WHERE session_id IN (SELECT id FROM relay_sessions WHERE user_id = ?)';
  const own: readonly TableStatement[] = [
    ['relay_bouts', { sql: `DELETE FROM relay_bouts ${ofSessions}`, values: [userId] }],
    ['relay_windows', { sql: 'DELETE FROM relay_windows WHERE user_id = ?', values: [userId] }],
    ['relay_hours', { sql: 'DELETE FROM relay_hours WHERE user_id = ?', values: [userId] }],
    ['relay_calibrations', { sql: 'DELETE FROM relay_calibrations WHERE user_id = ?', values: [userId] }],
    ['relay_sessions', { sql: 'DELETE FROM relay_sessions WHERE user_id = ?', values: [userId] }],
  ];
  const steps = [...(await platform.deletionsOf(store, userId)), ...own];
  const results = await store.execute([
    ...steps.map(([, statement]) => statement),
    auditStatement({ atMs: nowMs, actor, action: 'delete_student', subjectUserId: userId, detail: '' }),
  ]);
  return Object.fromEntries(steps.map(([table], index) => [table, results[index]?.changed ?? 0]));
}

/** One line of the audit log. */
export interface AuditLine {
  readonly atMs: number;
  readonly actor: Actor;
  /** What was done: `read_report`, `export_student`, `delete_student`. */
  readonly action: string;
  readonly subjectUserId: number;
  /** Which page or view, at most 200 characters; never personal data. */
  readonly detail: string;
}

function auditStatement({ atMs, actor, action, subjectUserId, detail }: AuditLine): Statement {
  return {
    sql: `INSERT INTO relay_audit (at_ms, actor_user_id, actor_role, action, subject_user_id, detail) VALUES (?, ?, ?, ?, ?, ?)`,
    values: [
      Math.round(atMs),
      actor.userId,
      actor.role.slice(0, 16),
      action.slice(0, 32),
      subjectUserId,
      detail.slice(0, 200),
    ],
  };
}

/** Writes who read or changed whose data. Rejects with `store_unreachable`. */
export async function writeAudit(store: Pick<MetricsStore, 'execute'>, lines: readonly AuditLine[]): Promise<void> {
  if (lines.length > 0) await store.execute(lines.map(auditStatement));
}
