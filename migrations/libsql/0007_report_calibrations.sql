DROP VIEW IF EXISTS relay_report_windows;
--> statement-breakpoint
CREATE VIEW relay_report_windows AS
SELECT
  w.session_id,
  w.epoch,
  w.seq,
  w.user_id,
  u.student_name,
  u.class_name,
  w.module_id,
  m.module_title,
  w.section_id,
  s.section_title,
  w.started_at_ms,
  w.ended_at_ms,
  strftime('%Y-%m-%d %H:%M:%f', w.started_at_ms / 1000.0, 'unixepoch') AS started_at_utc,
  w.mode,
  w.rule,
  w.calibration_version,
  w.calibrated_at_ms,
  (w.focused_ms + w.unfocused_ms + w.unknown_ms) AS tracked_ms,
  ROUND(100.0 * w.focused_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * w.unfocused_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * w.unknown_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * w.untracked_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms + w.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * w.centered_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * w.looking_left_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * w.looking_right_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * w.looking_up_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * w.looking_down_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * w.face_turned_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * w.eyes_closed_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * w.no_face_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * w.distracted_ms / NULLIF((w.focused_ms + w.unfocused_ms + w.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * w.frames_with_face / NULLIF(w.frames_processed, 0), 2) AS frames_with_face_percent,
  w.gateway_ms_sum / NULLIF(w.frames_processed, 0) AS gateway_ms_mean,
  w.focused_ms,
  w.unfocused_ms,
  w.unknown_ms,
  w.untracked_ms,
  w.centered_ms,
  w.looking_left_ms,
  w.looking_right_ms,
  w.looking_up_ms,
  w.looking_down_ms,
  w.face_turned_ms,
  w.eyes_closed_ms,
  w.no_face_ms,
  w.distracted_ms,
  w.unknown_direction_ms,
  w.frames_received,
  w.frames_processed,
  w.frames_dropped,
  w.frames_with_face,
  w.up_bytes,
  w.down_bytes
FROM relay_windows w
LEFT JOIN relay_dim_students u ON u.user_id = w.user_id
LEFT JOIN relay_dim_modules m ON m.module_id = w.module_id
LEFT JOIN relay_dim_sections s ON s.section_id = w.section_id;
--> statement-breakpoint
CREATE VIEW relay_report_calibrations AS
SELECT
  c.user_id,
  u.student_name,
  u.class_name,
  c.device_id,
  c.created_at_ms,
  strftime('%Y-%m-%d %H:%M:%f', c.created_at_ms / 1000.0, 'unixepoch') AS created_at_utc,
  c.version,
  c.point_count,
  ROUND(c.validation_yaw_deg, 2) AS validation_yaw_deg,
  ROUND(c.validation_pitch_deg, 2) AS validation_pitch_deg,
  CASE WHEN EXISTS (
    SELECT 1 FROM relay_calibrations n
    WHERE n.user_id = c.user_id AND n.device_id = c.device_id AND n.version = c.version AND n.created_at_ms > c.created_at_ms
  ) THEN 0 ELSE 1 END AS is_newest
FROM relay_calibrations c LEFT JOIN relay_dim_students u ON u.user_id = c.user_id;
