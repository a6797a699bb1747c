import { index, integer, primaryKey, real, sqliteTable, sqliteView, text } from 'drizzle-orm/sqlite-core';

/** Time by kind and by direction, whole ms, in every table that counts time. */
const timeColumns = {
  focusedMs: integer('focused_ms').notNull().default(0),
  unfocusedMs: integer('unfocused_ms').notNull().default(0),
  unknownMs: integer('unknown_ms').notNull().default(0),
  untrackedMs: integer('untracked_ms').notNull().default(0),
  centeredMs: integer('centered_ms').notNull().default(0),
  lookingLeftMs: integer('looking_left_ms').notNull().default(0),
  lookingRightMs: integer('looking_right_ms').notNull().default(0),
  lookingUpMs: integer('looking_up_ms').notNull().default(0),
  lookingDownMs: integer('looking_down_ms').notNull().default(0),
  faceTurnedMs: integer('face_turned_ms').notNull().default(0),
  eyesClosedMs: integer('eyes_closed_ms').notNull().default(0),
  noFaceMs: integer('no_face_ms').notNull().default(0),
  distractedMs: integer('distracted_ms').notNull().default(0),
  unknownDirectionMs: integer('unknown_direction_ms').notNull().default(0),
};

const trafficColumns = {
  framesReceived: integer('frames_received').notNull().default(0),
  framesProcessed: integer('frames_processed').notNull().default(0),
  framesDropped: integer('frames_dropped').notNull().default(0),
  framesWithFace: integer('frames_with_face').notNull().default(0),
  upBytes: integer('up_bytes').notNull().default(0),
  downBytes: integer('down_bytes').notNull().default(0),
  gatewayMsSum: real('gateway_ms_sum').notNull().default(0),
};

/** One row per tracking session, with the totals of its windows. */
export const sessions = sqliteTable(
  'relay_sessions',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    sessionUuid: text('session_uuid').notNull().unique('relay_sessions_uuid'),
    userId: integer('user_id').notNull(),
    moduleId: integer('module_id').notNull(),
    startedAtMs: integer('started_at_ms').notNull(),
    endedAtMs: integer('ended_at_ms').notNull(),
    isFinal: integer('is_final').notNull().default(0),
    mode: text('mode').notNull(),
    rule: text('rule').notNull(),
    windowCount: integer('window_count').notNull().default(0),
    focusedBoutCount: integer('focused_bout_count').notNull().default(0),
    unfocusedBoutCount: integer('unfocused_bout_count').notNull().default(0),
    longestFocusedBoutMs: integer('longest_focused_bout_ms').notNull().default(0),
    ...timeColumns,
    ...trafficColumns,
  },
  (table) => [
    index('relay_sessions_user').on(table.userId, table.startedAtMs),
    index('relay_sessions_module').on(table.moduleId, table.startedAtMs),
  ],
);

/** The ledger: one row per metrics window, whose key makes it count once. */
export const windows = sqliteTable(
  'relay_windows',
  {
    sessionId: integer('session_id').notNull(),
    epoch: integer('epoch').notNull(),
    seq: integer('seq').notNull(),
    userId: integer('user_id').notNull(),
    moduleId: integer('module_id').notNull(),
    sectionId: integer('section_id'),
    startedAtMs: integer('started_at_ms').notNull(),
    endedAtMs: integer('ended_at_ms').notNull(),
    isFinal: integer('is_final').notNull().default(0),
    mode: text('mode').notNull(),
    rule: text('rule').notNull(),
    ...timeColumns,
    ...trafficColumns,
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.epoch, table.seq] }),
    index('relay_windows_user').on(table.userId, table.startedAtMs),
    index('relay_windows_module').on(table.moduleId, table.sectionId, table.startedAtMs),
  ],
);

/** Focus and unfocus bouts, kept under the window that closed them. */
export const bouts = sqliteTable(
  'relay_bouts',
  {
    sessionId: integer('session_id').notNull(),
    epoch: integer('epoch').notNull(),
    seq: integer('seq').notNull(),
    boutNo: integer('bout_no').notNull(),
    kind: text('kind').notNull(),
    startedAtMs: integer('started_at_ms').notNull(),
    durationMs: integer('duration_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.epoch, table.seq, table.boutNo] })],
);

/** The view a session's report is read from; its SQL is in the migrations. */
export const reportSessions = sqliteView('relay_report_sessions', {
  sessionId: integer('session_id').notNull(),
  sessionUuid: text('session_uuid').notNull(),
  userId: integer('user_id').notNull(),
  moduleId: integer('module_id').notNull(),
  startedAtMs: integer('started_at_ms').notNull(),
  endedAtMs: integer('ended_at_ms').notNull(),
  isFinal: integer('is_final').notNull(),
  ...timeColumns,
  ...trafficColumns,
}).existing();
