import {
  bigint,
  char,
  date,
  double,
  index,
  int,
  mysqlTable,
  mysqlView,
  primaryKey,
  text,
  tinyint,
  unique,
  varchar,
} from 'drizzle-orm/mysql-core';

const bigintNumber = (name: string) => bigint(name, { mode: 'number' });

/** Time by kind and by direction, whole ms, and traffic. Totals of a session need a BIGINT. */
const totalColumns = {
  focusedMs: bigintNumber('focused_ms').notNull().default(0),
  unfocusedMs: bigintNumber('unfocused_ms').notNull().default(0),
  unknownMs: bigintNumber('unknown_ms').notNull().default(0),
  untrackedMs: bigintNumber('untracked_ms').notNull().default(0),
  /** Part of the time whose messages came late. */
  lateMs: bigintNumber('late_ms').notNull().default(0),
  centeredMs: bigintNumber('centered_ms').notNull().default(0),
  lookingLeftMs: bigintNumber('looking_left_ms').notNull().default(0),
  lookingRightMs: bigintNumber('looking_right_ms').notNull().default(0),
  lookingUpMs: bigintNumber('looking_up_ms').notNull().default(0),
  lookingDownMs: bigintNumber('looking_down_ms').notNull().default(0),
  faceTurnedMs: bigintNumber('face_turned_ms').notNull().default(0),
  eyesClosedMs: bigintNumber('eyes_closed_ms').notNull().default(0),
  noFaceMs: bigintNumber('no_face_ms').notNull().default(0),
  distractedMs: bigintNumber('distracted_ms').notNull().default(0),
  unknownDirectionMs: bigintNumber('unknown_direction_ms').notNull().default(0),
  framesReceived: bigintNumber('frames_received').notNull().default(0),
  framesProcessed: bigintNumber('frames_processed').notNull().default(0),
  framesDropped: bigintNumber('frames_dropped').notNull().default(0),
  framesWithFace: bigintNumber('frames_with_face').notNull().default(0),
  upBytes: bigintNumber('up_bytes').notNull().default(0),
  downBytes: bigintNumber('down_bytes').notNull().default(0),
  gatewayMsSum: double('gateway_ms_sum').notNull().default(0),
  pausedHiddenMs: bigintNumber('paused_hidden_ms').notNull().default(0),
  pausedStudentMs: bigintNumber('paused_student_ms').notNull().default(0),
  pausedCameraMs: bigintNumber('paused_camera_ms').notNull().default(0),
  secondFaceMs: bigintNumber('second_face_ms').notNull().default(0),
};

/** The same for one window, whose counts fit an INT: this is the table that grows. */
const windowColumns = {
  focusedMs: int('focused_ms').notNull().default(0),
  unfocusedMs: int('unfocused_ms').notNull().default(0),
  unknownMs: int('unknown_ms').notNull().default(0),
  untrackedMs: int('untracked_ms').notNull().default(0),
  lateMs: int('late_ms').notNull().default(0),
  centeredMs: int('centered_ms').notNull().default(0),
  lookingLeftMs: int('looking_left_ms').notNull().default(0),
  lookingRightMs: int('looking_right_ms').notNull().default(0),
  lookingUpMs: int('looking_up_ms').notNull().default(0),
  lookingDownMs: int('looking_down_ms').notNull().default(0),
  faceTurnedMs: int('face_turned_ms').notNull().default(0),
  eyesClosedMs: int('eyes_closed_ms').notNull().default(0),
  noFaceMs: int('no_face_ms').notNull().default(0),
  distractedMs: int('distracted_ms').notNull().default(0),
  unknownDirectionMs: int('unknown_direction_ms').notNull().default(0),
  framesReceived: int('frames_received').notNull().default(0),
  framesProcessed: int('frames_processed').notNull().default(0),
  framesDropped: int('frames_dropped').notNull().default(0),
  framesWithFace: int('frames_with_face').notNull().default(0),
  upBytes: int('up_bytes').notNull().default(0),
  downBytes: int('down_bytes').notNull().default(0),
  gatewayMsSum: double('gateway_ms_sum').notNull().default(0),
  pausedHiddenMs: int('paused_hidden_ms').notNull().default(0),
  pausedStudentMs: int('paused_student_ms').notNull().default(0),
  pausedCameraMs: int('paused_camera_ms').notNull().default(0),
  secondFaceMs: int('second_face_ms').notNull().default(0),
};

/** One row per tracking session, with the totals of its windows. */
export const sessions = mysqlTable(
  'relay_sessions',
  {
    id: bigintNumber('id').primaryKey().autoincrement(),
    sessionUuid: char('session_uuid', { length: 36 }).notNull(),
    userId: int('user_id').notNull(),
    moduleId: int('module_id').notNull(),
    startedAtMs: bigintNumber('started_at_ms').notNull(),
    endedAtMs: bigintNumber('ended_at_ms').notNull(),
    isFinal: tinyint('is_final').notNull().default(0),
    mode: varchar('mode', { length: 16 }).notNull(),
    rule: varchar('rule', { length: 16 }).notNull(),
    /** The first reason why the observations are implausible; NULL where they are not. */
    suspect: varchar('suspect', { length: 16 }),
    windowCount: int('window_count').notNull().default(0),
    focusedBoutCount: int('focused_bout_count').notNull().default(0),
    unfocusedBoutCount: int('unfocused_bout_count').notNull().default(0),
    longestFocusedBoutMs: bigintNumber('longest_focused_bout_ms').notNull().default(0),
    ...totalColumns,
  },
  (table) => [
    unique('relay_sessions_uuid').on(table.sessionUuid),
    index('relay_sessions_user').on(table.userId, table.startedAtMs),
    index('relay_sessions_module').on(table.moduleId, table.startedAtMs),
    index('relay_sessions_started').on(table.startedAtMs),
  ],
);

/** The ledger: one row per metrics window, whose key makes it count once. */
export const windows = mysqlTable(
  'relay_windows',
  {
    sessionId: bigintNumber('session_id').notNull(),
    epoch: int('epoch').notNull(),
    seq: int('seq').notNull(),
    userId: int('user_id').notNull(),
    moduleId: int('module_id').notNull(),
    sectionId: int('section_id'),
    startedAtMs: bigintNumber('started_at_ms').notNull(),
    endedAtMs: bigintNumber('ended_at_ms').notNull(),
    isFinal: tinyint('is_final').notNull().default(0),
    mode: varchar('mode', { length: 16 }).notNull(),
    rule: varchar('rule', { length: 16 }).notNull(),
    /** Version and time of the calibration in use (relay_calibrations); NULL without one. */
    calibrationVersion: int('calibration_version'),
    calibratedAtMs: bigintNumber('calibrated_at_ms'),
    /** Why the observations are implausible, NULL where they are not. */
    suspect: varchar('suspect', { length: 16 }),
    ...windowColumns,
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.epoch, table.seq] }),
    index('relay_windows_user').on(table.userId, table.startedAtMs),
    index('relay_windows_module').on(table.moduleId, table.sectionId, table.startedAtMs),
  ],
);

/** Focus and unfocus bouts, kept under the window that closed them. */
export const bouts = mysqlTable(
  'relay_bouts',
  {
    sessionId: bigintNumber('session_id').notNull(),
    epoch: int('epoch').notNull(),
    seq: int('seq').notNull(),
    boutNo: int('bout_no').notNull(),
    kind: varchar('kind', { length: 16 }).notNull(),
    startedAtMs: bigintNumber('started_at_ms').notNull(),
    durationMs: bigintNumber('duration_ms').notNull(),
    userId: int('user_id').notNull().default(0),
    moduleId: int('module_id').notNull().default(0),
    sectionId: int('section_id'),
    /** Day and hour of the start in the database's time zone. */
    day: date('day', { mode: 'string' }).notNull().default('1970-01-01'),
    hourOfDay: tinyint('hour_of_day').notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.epoch, table.seq, table.boutNo] }),
    // With the length in them, so that a median reads the index alone.
    index('relay_bouts_user').on(table.userId, table.kind, table.durationMs),
    // With days and students too, for lessons are asked for by ranges of days, and by class.
    index('relay_bouts_lesson').on(
      table.moduleId,
      table.sectionId,
      table.kind,
      table.durationMs,
      table.day,
      table.userId,
    ),
    index('relay_bouts_day').on(table.day, table.kind, table.durationMs),
  ],
);

/**
 * Totals by student, lesson section, day and hour: what nearly every report adds up. A window belongs to
 * the hour in which it starts, on the calendar of the database's time zone.
 */
export const hours = mysqlTable(
  'relay_hours',
  {
    userId: int('user_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    hourOfDay: tinyint('hour_of_day').notNull(),
    moduleId: int('module_id').notNull(),
    /** Lesson section, 0 for none: a NULL would escape the key. */
    sectionKey: int('section_key').notNull(),
    /** Sessions whose first window is in here. */
    sessionCount: int('session_count').notNull().default(0),
    windowCount: int('window_count').notNull().default(0),
    focusedBoutCount: int('focused_bout_count').notNull().default(0),
    unfocusedBoutCount: int('unfocused_bout_count').notNull().default(0),
    longestFocusedBoutMs: bigintNumber('longest_focused_bout_ms').notNull().default(0),
    ...totalColumns,
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.day, table.hourOfDay, table.moduleId, table.sectionKey] }),
    index('relay_hours_module').on(table.moduleId, table.day),
    index('relay_hours_day').on(table.day),
  ],
);

/** Small facts about this database that the product keeps for itself. */
export const settings = mysqlTable('relay_settings', {
  name: varchar('name', { length: 64 }).primaryKey(),
  value: text('value').notNull(),
});

/** What a student's calibrations on their devices yielded; the newest of a version is the one in use. */
export const calibrations = mysqlTable(
  'relay_calibrations',
  {
    userId: int('user_id').notNull(),
    /** UUID that the browser made for itself. */
    deviceId: char('device_id', { length: 36 }).notNull(),
    createdAtMs: bigintNumber('created_at_ms').notNull(),
    /** Version of the algorithm: another one cannot use it. */
    version: int('version').notNull(),
    pointCount: int('point_count').notNull(),
    /** Mean absolute error of each point told from the others; NULL when it could not be told. */
    validationYawDeg: double('validation_yaw_deg'),
    validationPitchDeg: double('validation_pitch_deg'),
    /** Correction of the gaze and region of the screen, JSON of that version. */
    calibrationJson: text('calibration_json').notNull(),
  },
  (table) => [
    primaryKey({ name: 'relay_calibrations_key', columns: [table.userId, table.deviceId, table.createdAtMs] }),
    index('relay_calibrations_created').on(table.createdAtMs),
  ],
);

/** Who read or changed whose data. */
export const audit = mysqlTable(
  'relay_audit',
  {
    id: bigintNumber('id').primaryKey().autoincrement(),
    atMs: bigintNumber('at_ms').notNull(),
    actorUserId: int('actor_user_id'),
    actorRole: varchar('actor_role', { length: 16 }).notNull(),
    action: varchar('action', { length: 32 }).notNull(),
    subjectUserId: int('subject_user_id').notNull(),
    detail: varchar('detail', { length: 200 }).notNull().default(''),
  },
  (table) => [index('relay_audit_subject').on(table.subjectUserId, table.atMs)],
);

/** The view a session's report is read from; its SQL is in the migrations. */
export const reportSessions = mysqlView('relay_report_sessions', {
  sessionId: bigintNumber('session_id').notNull(),
  sessionUuid: char('session_uuid', { length: 36 }).notNull(),
  userId: int('user_id').notNull(),
  moduleId: int('module_id').notNull(),
  startedAtMs: bigintNumber('started_at_ms').notNull(),
  endedAtMs: bigintNumber('ended_at_ms').notNull(),
  isFinal: tinyint('is_final').notNull(),
  suspect: varchar('suspect', { length: 16 }),
  ...totalColumns,
}).existing();
