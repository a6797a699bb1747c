import { bigint, date, index, int, mysqlTable, primaryKey, varchar } from 'drizzle-orm/mysql-core';

const bigintNumber = (name: string) => bigint(name, { mode: 'number' });

/**
 * Which rows of EyeLearn's eye_tracking_sessions hold a student's time in one module and lesson section on one day, and how much
 * of it is written there. A place has several of these notes where a row was full or another program began a newer one: the
 * newest note has what is not a whole second yet.
 */
export const eyelearnRows = mysqlTable(
  'relay_eyelearn_rows',
  {
    id: bigintNumber('id').primaryKey().autoincrement(),
    userId: int('user_id').notNull().default(0),
    moduleId: int('module_id').notNull().default(0),
    /** Newest session whose time is in the row: the note is deleted with it. */
    sessionId: bigintNumber('session_id').notNull(),
    /** Lesson section, 0 for none. */
    sectionKey: int('section_key').notNull(),
    /** Day of the database's time zone. */
    day: date('day', { mode: 'string' }).notNull(),
    /** Id in eye_tracking_sessions; null until there is a whole second to write. */
    eyelearnRowId: bigintNumber('eyelearn_row_id'),
    focusedMs: bigintNumber('focused_ms').notNull(),
    unfocusedMs: bigintNumber('unfocused_ms').notNull(),
    focusedWrittenS: int('focused_written_s').notNull(),
    unfocusedWrittenS: int('unfocused_written_s').notNull(),
  },
  (table) => [
    index('relay_eyelearn_rows_place').on(table.userId, table.day),
    index('relay_eyelearn_rows_session').on(table.sessionId),
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
