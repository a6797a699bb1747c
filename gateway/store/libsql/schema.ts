import { index, integer, primaryKey, real, sqliteTable, sqliteView, text } from 'drizzle-orm/sqlite-core';

/** Time by kind and by direction, whole ms, in every table that counts time. */
const timeColumns = {
  focusedMs: integer('focused_ms').notNull().default(0),
  unfocusedMs: integer('unfocused_ms').notNull().default(0),
  unknownMs: integer('unknown_ms').notNull().default(0),
  untrackedMs: integer('untracked_ms').notNull().default(0),
  /** Part of the time whose messages came late. */
  lateMs: integer('late_ms').notNull().default(0),
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
  pausedHiddenMs: integer('paused_hidden_ms').notNull().default(0),
  pausedStudentMs: integer('paused_student_ms').notNull().default(0),
  pausedCameraMs: integer('paused_camera_ms').notNull().default(0),
  secondFaceMs: integer('second_face_ms').notNull().default(0),
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
    /** The first reason why the observations are implausible; NULL where they are not. */
    suspect: text('suspect'),
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
    index('relay_sessions_started').on(table.startedAtMs),
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
    /** Version and time of the calibration in use (relay_calibrations); NULL without one. */
    calibrationVersion: integer('calibration_version'),
    calibratedAtMs: integer('calibrated_at_ms'),
    /** Why the observations are implausible, NULL where they are not. */
    suspect: text('suspect'),
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
    userId: integer('user_id').notNull().default(0),
    moduleId: integer('module_id').notNull().default(0),
    sectionId: integer('section_id'),
    /** Day and hour of the start in the gateway's time zone. */
    day: text('day').notNull().default('1970-01-01'),
    hourOfDay: integer('hour_of_day').notNull().default(0),
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
 * the hour in which it starts, on the calendar of the gateway's time zone.
 */
export const hours = sqliteTable(
  'relay_hours',
  {
    userId: integer('user_id').notNull(),
    day: text('day').notNull(),
    hourOfDay: integer('hour_of_day').notNull(),
    moduleId: integer('module_id').notNull(),
    /** Lesson section, 0 for none: a NULL would escape the key. */
    sectionKey: integer('section_key').notNull(),
    /** Sessions whose first window is in here. */
    sessionCount: integer('session_count').notNull().default(0),
    windowCount: integer('window_count').notNull().default(0),
    focusedBoutCount: integer('focused_bout_count').notNull().default(0),
    unfocusedBoutCount: integer('unfocused_bout_count').notNull().default(0),
    longestFocusedBoutMs: integer('longest_focused_bout_ms').notNull().default(0),
    ...timeColumns,
    ...trafficColumns,
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.day, table.hourOfDay, table.moduleId, table.sectionKey] }),
    index('relay_hours_module').on(table.moduleId, table.day),
    index('relay_hours_day').on(table.day),
  ],
);

/** Small facts about this database that the product keeps for itself. */
export const settings = sqliteTable('relay_settings', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
});

/** What a student's calibrations on their devices yielded; the newest of a version is the one in use. */
export const calibrations = sqliteTable(
  'relay_calibrations',
  {
    userId: integer('user_id').notNull(),
    /** UUID that the browser made for itself. */
    deviceId: text('device_id').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    /** Version of the algorithm: another one cannot use it. */
    version: integer('version').notNull(),
    pointCount: integer('point_count').notNull(),
    /** Mean absolute error of each point told from the others; NULL when it could not be told. */
    validationYawDeg: real('validation_yaw_deg'),
    validationPitchDeg: real('validation_pitch_deg'),
    /** Correction of the gaze and region of the screen, JSON of that version. */
    calibrationJson: text('calibration_json').notNull(),
  },
  (table) => [
    primaryKey({ name: 'relay_calibrations_key', columns: [table.userId, table.deviceId, table.createdAtMs] }),
    index('relay_calibrations_created').on(table.createdAtMs),
  ],
);

/** Who read or changed whose data. */
export const audit = sqliteTable(
  'relay_audit',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    atMs: integer('at_ms').notNull(),
    actorUserId: integer('actor_user_id'),
    actorRole: text('actor_role').notNull(),
    action: text('action').notNull(),
    subjectUserId: integer('subject_user_id').notNull(),
    detail: text('detail').notNull().default(''),
  },
  (table) => [index('relay_audit_subject').on(table.subjectUserId, table.atMs)],
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
  suspect: text('suspect'),
  ...timeColumns,
  ...trafficColumns,
}).existing();
