import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Mode } from '../../shared/direction.ts';
import { quantile } from '../lib/stats.ts';
import type { StudentTruth } from './student.ts';

/** What the database has of one student, beside the truth. Whole ms and whole seconds. */
export interface StudentVerdict {
  readonly userId: number;
  readonly mode: Mode;
  readonly reconnects: number;
  readonly unserved: number;
  readonly windows: number;
  readonly truthFocusedMs: number;
  readonly storedFocusedMs: number;
  readonly truthUnfocusedMs: number;
  readonly storedUnfocusedMs: number;
  /** What EyeLearn's rows hold, through MySQL and through PHP together. */
  readonly eyelearnS: number;
  /** Times that the gateway which had the student was killed or stood still. */
  readonly kills: number;
  /** Time that may be stored without the student's knowledge. */
  readonly unheardMs: number;
}

export interface Verdict {
  readonly students: readonly StudentVerdict[];
  /** By the gaps that missing windows leave in their sessions' numbering. */
  readonly windowsExpected: number;
  readonly windowsStored: number;
  /** Windows that cover time which another one of the session covers, and rows whose key is there twice. */
  readonly duplicates: number;
  readonly maxErrorMs: number;
  /**
   * The largest error of a student's whole time, divided by the kills of their gateways. By kinds of time there is more: a change of
   * the student's state is taken over a moment late, and which changes fall into a gap is chance.
   */
  readonly maxErrorPerKillMs: number;
  /** The mean of that over the students whose gateway was killed; 0 without any. */
  readonly meanErrorPerKillMs: number;
  /** The most whole time of a student that is missing. */
  readonly maxLostMs: number;
  /** Share of the reconnects that resumed the session; 1 without any. */
  readonly resumedShare: number;
  /** From the kill of a student's gateway to the next update, 99th percentile, ms; 0 without any. */
  readonly reconnectMsP99: number;
  readonly eyelearnSeconds: number;
  readonly truthSeconds: number;
}

async function numbersOf(connection: Connection, sql: string): Promise<Record<string, number>[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])));
}

/** Entries of the spool's file that are not delivered yet, and posts that are under way. */
export async function leftInSpool(dataDir: string): Promise<number> {
  const client = createClient({ url: pathToFileURL(path.join(dataDir, 'spool.db')).href });
  try {
    const tables = await client.execute("SELECT name FROM sqlite_master WHERE name = 'php_posts'");
    const posts = tables.rows.length === 0 ? '0' : "(SELECT COUNT(*) FROM php_posts WHERE status <> 'stored')";
    const { rows } = await client.execute(
      `SELECT (SELECT COUNT(*) FROM spool_windows WHERE status = 'waiting') + ${posts} AS n`,
    );
    return Number(rows[0]?.n);
  } finally {
    client.close();
  }
}

/** Compares the database with what the students did. */
export async function judge(connection: Connection, truths: readonly StudentTruth[]): Promise<Verdict> {
  const byUser = (rows: Record<string, number>[]) => new Map(rows.map((row) => [row.user_id ?? 0, row]));
  const ledger = byUser(
    await numbersOf(
      connection,
      'SELECT user_id, COUNT(*) AS windows, SUM(focused_ms) AS focused, SUM(unfocused_ms) AS unfocused FROM relay_windows GROUP BY user_id',
    ),
  );
  const eyelearn = byUser(
    await numbersOf(
      connection,
      'SELECT user_id, SUM(total_time_seconds) AS seconds FROM eye_tracking_sessions GROUP BY user_id',
    ),
  );
  const [numbering] = await numbersOf(
    connection,
    'SELECT SUM(n) AS expected FROM (SELECT MAX(seq) + 1 AS n FROM relay_windows GROUP BY session_id, epoch) epochs',
  );
  const [stored] = await numbersOf(connection, 'SELECT COUNT(*) AS n FROM relay_windows');
  const [overlapping] = await numbersOf(
    connection,
    `SELECT COUNT(*) AS n FROM (
       SELECT started_at_ms, focused_ms + unfocused_ms + unknown_ms AS tracked,
         LAG(ended_at_ms) OVER (PARTITION BY session_id ORDER BY epoch, seq) AS before_ms FROM relay_windows
     ) w WHERE w.started_at_ms < w.before_ms AND w.tracked > 0`,
  );
  // Totals that disagree with the windows under them have counted one twice.
  const [disagreeing] = await numbersOf(
    connection,
    `SELECT COUNT(*) AS n FROM relay_sessions s
     JOIN (SELECT session_id, SUM(focused_ms) AS focused, SUM(unfocused_ms) AS unfocused FROM relay_windows GROUP BY session_id) w
       ON w.session_id = s.id
     WHERE s.focused_ms <> w.focused OR s.unfocused_ms <> w.unfocused`,
  );
  const students = truths.map((truth) => ({
    userId: truth.userId,
    mode: truth.mode,
    reconnects: truth.reconnects,
    unserved: truth.unserved,
    windows: ledger.get(truth.userId)?.windows ?? 0,
    truthFocusedMs: truth.focusedMs,
    storedFocusedMs: ledger.get(truth.userId)?.focused ?? 0,
    truthUnfocusedMs: truth.unfocusedMs,
    storedUnfocusedMs: ledger.get(truth.userId)?.unfocused ?? 0,
    eyelearnS: eyelearn.get(truth.userId)?.seconds ?? 0,
    kills: truth.kills,
    unheardMs: truth.unheardMs,
  }));
  /** Stored time of which the student heard nothing is no error; time that is missing always is. */
  const beyond = (storedMs: number, truthMs: number, unheardMs: number) =>
    storedMs > truthMs ? Math.max(0, storedMs - truthMs - unheardMs) : truthMs - storedMs;
  const errorOf = (student: StudentVerdict) =>
    Math.max(
      beyond(student.storedFocusedMs, student.truthFocusedMs, student.unheardMs),
      beyond(student.storedUnfocusedMs, student.truthUnfocusedMs, student.unheardMs),
    );
  const truthOf = (student: StudentVerdict) => student.truthFocusedMs + student.truthUnfocusedMs;
  const storedOf = (student: StudentVerdict) => student.storedFocusedMs + student.storedUnfocusedMs;
  const errorPerKill = (student: StudentVerdict) =>
    beyond(storedOf(student), truthOf(student), student.unheardMs) / Math.max(1, student.kills);
  const killed = students.filter(({ kills }) => kills > 0);
  const reconnects = truths.reduce((total, truth) => total + truth.reconnects, 0);
  const resumes = truths.reduce((total, truth) => total + truth.resumes, 0);
  const backMs = truths.flatMap((truth) => truth.backMs);
  const sum = (pick: (student: StudentVerdict) => number) =>
    students.reduce((total, student) => total + pick(student), 0);
  return {
    students,
    windowsExpected: numbering?.expected ?? 0,
    windowsStored: stored?.n ?? 0,
    duplicates: (overlapping?.n ?? 0) + (disagreeing?.n ?? 0),
    maxErrorMs: Math.max(0, ...students.map(errorOf)),
    maxErrorPerKillMs: Math.round(Math.max(0, ...students.map(errorPerKill))),
    meanErrorPerKillMs: Math.round(
      killed.reduce((sum, each) => sum + errorPerKill(each), 0) / Math.max(1, killed.length),
    ),
    maxLostMs: Math.max(0, ...students.map((student) => truthOf(student) - storedOf(student))),
    resumedShare: reconnects === 0 ? 1 : resumes / reconnects,
    reconnectMsP99: backMs.length === 0 ? 0 : Math.round(quantile(backMs, 0.99)),
    eyelearnSeconds: sum((student) => student.eyelearnS),
    truthSeconds: Math.round(sum((student) => student.truthFocusedMs + student.truthUnfocusedMs) / 1000),
  };
}
