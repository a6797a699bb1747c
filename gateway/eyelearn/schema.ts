import { bigint, date, index, int, mysqlTable, primaryKey, unique, varchar } from 'drizzle-orm/mysql-core';

const bigintNumber = (name: string) => bigint(name, { mode: 'number' });

/**
 * Which row of EyeLearn's eye_tracking_sessions holds a session's time in one lesson section on one
 * day, and how much of it is written there. `rollNo` counts the rows begun because one was full.
 */
export const eyelearnRows = mysqlTable(
  'relay_eyelearn_rows',
  {
    id: bigintNumber('id').primaryKey().autoincrement(),
    sessionId: bigintNumber('session_id').notNull(),
    /** Lesson section, 0 for none: a NULL would escape the unique key. */
    sectionKey: int('section_key').notNull(),
    /** Day of the database's time zone. */
    day: date('day', { mode: 'string' }).notNull(),
    rollNo: int('roll_no').notNull(),
    /** Id in eye_tracking_sessions; null until there is a whole second to write. */
    eyelearnRowId: bigintNumber('eyelearn_row_id'),
    focusedMs: bigintNumber('focused_ms').notNull(),
    unfocusedMs: bigintNumber('unfocused_ms').notNull(),
    focusedWrittenS: int('focused_written_s').notNull(),
    unfocusedWrittenS: int('unfocused_written_s').notNull(),
  },
  (table) => [
    unique('relay_eyelearn_rows_key').on(table.sessionId, table.sectionKey, table.day, table.rollNo),
    index('relay_eyelearn_rows_target').on(table.eyelearnRowId),
  ],
);

/** What of our time is in EyeLearn's tables that hold days and study sessions: they are added to, never set. */
export const eyelearnTotals = mysqlTable(
  'relay_eyelearn_totals',
  {
    /** Name of EyeLearn's table. */
    target: varchar('target', { length: 32 }).notNull(),
    userId: int('user_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    /** 0 where the target knows no module, lesson section or session. */
    moduleId: int('module_id').notNull(),
    sectionKey: int('section_key').notNull(),
    sessionId: bigintNumber('session_id').notNull(),
    /** Id of the row there; null until there is one. */
    rowId: bigintNumber('row_id'),
    focusedWrittenS: int('focused_written_s').notNull().default(0),
    unfocusedWrittenS: int('unfocused_written_s').notNull().default(0),
    sessionsWritten: int('sessions_written').notNull().default(0),
  },
  (table) => [
    primaryKey({
      name: 'relay_eyelearn_totals_key',
      columns: [table.target, table.userId, table.day, table.moduleId, table.sectionKey, table.sessionId],
    }),
  ],
);
