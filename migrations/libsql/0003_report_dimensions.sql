UPDATE relay_bouts SET user_id = w.user_id, module_id = w.module_id, section_id = w.section_id,
  day = date(relay_bouts.started_at_ms / 1000, 'unixepoch', 'localtime'), hour_of_day = CAST(strftime('%H', relay_bouts.started_at_ms / 1000, 'unixepoch', 'localtime') AS INTEGER)
FROM relay_windows w WHERE w.session_id = relay_bouts.session_id AND w.epoch = relay_bouts.epoch AND w.seq = relay_bouts.seq;
--> statement-breakpoint
DELETE FROM relay_hours;
--> statement-breakpoint
INSERT INTO relay_hours (user_id, day, hour_of_day, module_id, section_key, session_count, window_count, focused_bout_count, unfocused_bout_count,
  longest_focused_bout_ms, focused_ms, unfocused_ms, unknown_ms, untracked_ms, centered_ms, looking_left_ms, looking_right_ms, looking_up_ms, looking_down_ms, face_turned_ms, eyes_closed_ms, no_face_ms, distracted_ms, unknown_direction_ms, frames_received, frames_processed, frames_dropped, frames_with_face, up_bytes, down_bytes, gateway_ms_sum)
SELECT w.user_id, date(w.started_at_ms / 1000, 'unixepoch', 'localtime'), CAST(strftime('%H', w.started_at_ms / 1000, 'unixepoch', 'localtime') AS INTEGER), w.module_id, COALESCE(w.section_id, 0),
  SUM(CASE WHEN first_of.session_id IS NULL THEN 0 ELSE 1 END), COUNT(*), SUM(COALESCE(n.focused, 0)), SUM(COALESCE(n.unfocused, 0)), MAX(COALESCE(n.longest, 0)),
  SUM(w.focused_ms), SUM(w.unfocused_ms), SUM(w.unknown_ms), SUM(w.untracked_ms), SUM(w.centered_ms), SUM(w.looking_left_ms), SUM(w.looking_right_ms), SUM(w.looking_up_ms), SUM(w.looking_down_ms), SUM(w.face_turned_ms), SUM(w.eyes_closed_ms), SUM(w.no_face_ms), SUM(w.distracted_ms), SUM(w.unknown_direction_ms), SUM(w.frames_received), SUM(w.frames_processed), SUM(w.frames_dropped), SUM(w.frames_with_face), SUM(w.up_bytes), SUM(w.down_bytes), SUM(w.gateway_ms_sum)
FROM relay_windows w
LEFT JOIN (
  SELECT session_id, epoch, seq FROM (
    SELECT session_id, epoch, seq, ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY started_at_ms, epoch, seq) AS place FROM relay_windows
  ) ranked WHERE place = 1
) first_of ON first_of.session_id = w.session_id AND first_of.epoch = w.epoch AND first_of.seq = w.seq
LEFT JOIN (
  SELECT session_id, epoch, seq, SUM(kind = 'focused') AS focused, SUM(kind = 'unfocused') AS unfocused,
    MAX(CASE WHEN kind = 'focused' THEN duration_ms ELSE 0 END) AS longest
  FROM relay_bouts GROUP BY session_id, epoch, seq
) n ON n.session_id = w.session_id AND n.epoch = w.epoch AND n.seq = w.seq
GROUP BY w.user_id, date(w.started_at_ms / 1000, 'unixepoch', 'localtime'), CAST(strftime('%H', w.started_at_ms / 1000, 'unixepoch', 'localtime') AS INTEGER), w.module_id, COALESCE(w.section_id, 0);
--> statement-breakpoint
CREATE VIEW relay_dim_students AS
SELECT user_id, CAST(NULL AS TEXT) AS student_name, CAST(NULL AS TEXT) AS class_name
FROM relay_sessions WHERE 1 = 0;
--> statement-breakpoint
CREATE VIEW relay_dim_modules AS
SELECT module_id, CAST(NULL AS TEXT) AS module_title
FROM relay_sessions WHERE 1 = 0;
--> statement-breakpoint
CREATE VIEW relay_dim_sections AS
SELECT module_id AS section_id, CAST(NULL AS TEXT) AS section_title
FROM relay_sessions WHERE 1 = 0;
--> statement-breakpoint
CREATE VIEW relay_report_hours AS
SELECT
  h.user_id,
  u.student_name,
  u.class_name,
  h.module_id,
  m.module_title,
  NULLIF(h.section_key, 0) AS section_id,
  s.section_title,
  h.day,
  h.hour_of_day,
  h.session_count,
  h.window_count,
  h.focused_bout_count,
  h.unfocused_bout_count,
  h.longest_focused_bout_ms,
  (h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * h.focused_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * h.unfocused_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * h.unknown_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * h.untracked_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * h.centered_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * h.looking_left_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * h.looking_right_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * h.looking_up_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * h.looking_down_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * h.face_turned_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * h.eyes_closed_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * h.no_face_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * h.distracted_ms / NULLIF((h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * h.frames_with_face / NULLIF(h.frames_processed, 0), 2) AS frames_with_face_percent,
  h.gateway_ms_sum / NULLIF(h.frames_processed, 0) AS gateway_ms_mean,
  h.focused_ms,
  h.unfocused_ms,
  h.unknown_ms,
  h.untracked_ms,
  h.centered_ms,
  h.looking_left_ms,
  h.looking_right_ms,
  h.looking_up_ms,
  h.looking_down_ms,
  h.face_turned_ms,
  h.eyes_closed_ms,
  h.no_face_ms,
  h.distracted_ms,
  h.unknown_direction_ms,
  h.frames_received,
  h.frames_processed,
  h.frames_dropped,
  h.frames_with_face,
  h.up_bytes,
  h.down_bytes,
  h.gateway_ms_sum
FROM relay_hours h
LEFT JOIN relay_dim_students u ON u.user_id = h.user_id
LEFT JOIN relay_dim_modules m ON m.module_id = h.module_id
LEFT JOIN relay_dim_sections s ON s.section_id = h.section_key;
--> statement-breakpoint
CREATE VIEW relay_report_students AS
SELECT
  h.user_id,
  u.student_name,
  u.class_name,
  COUNT(DISTINCT h.day) AS active_days,
  MIN(h.day) AS first_day,
  MAX(h.day) AS last_day,
  COUNT(DISTINCT h.module_id) AS module_count,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
LEFT JOIN relay_dim_students u ON u.user_id = h.user_id
GROUP BY h.user_id, u.student_name, u.class_name;
--> statement-breakpoint
DROP VIEW IF EXISTS relay_report_student_days;
--> statement-breakpoint
CREATE VIEW relay_report_student_days AS
SELECT
  h.user_id,
  u.student_name,
  u.class_name,
  h.day,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
LEFT JOIN relay_dim_students u ON u.user_id = h.user_id
GROUP BY h.user_id, u.student_name, u.class_name, h.day;
--> statement-breakpoint
CREATE VIEW relay_report_student_modules AS
SELECT
  h.user_id,
  u.student_name,
  u.class_name,
  h.module_id,
  m.module_title,
  COUNT(DISTINCT h.day) AS active_days,
  MIN(h.day) AS first_day,
  MAX(h.day) AS last_day,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
LEFT JOIN relay_dim_students u ON u.user_id = h.user_id
LEFT JOIN relay_dim_modules m ON m.module_id = h.module_id
GROUP BY h.user_id, u.student_name, u.class_name, h.module_id, m.module_title;
--> statement-breakpoint
CREATE VIEW relay_report_classes AS
SELECT
  u.class_name,
  COUNT(DISTINCT h.user_id) AS student_count,
  COUNT(DISTINCT h.day) AS active_days,
  MIN(h.day) AS first_day,
  MAX(h.day) AS last_day,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
LEFT JOIN relay_dim_students u ON u.user_id = h.user_id
GROUP BY u.class_name;
--> statement-breakpoint
CREATE VIEW relay_report_class_days AS
SELECT
  u.class_name,
  h.day,
  COUNT(DISTINCT h.user_id) AS student_count,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
LEFT JOIN relay_dim_students u ON u.user_id = h.user_id
GROUP BY u.class_name, h.day;
--> statement-breakpoint
CREATE VIEW relay_report_modules AS
SELECT
  h.module_id,
  m.module_title,
  COUNT(DISTINCT h.user_id) AS student_count,
  COUNT(DISTINCT h.day) AS active_days,
  MIN(h.day) AS first_day,
  MAX(h.day) AS last_day,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
LEFT JOIN relay_dim_modules m ON m.module_id = h.module_id
GROUP BY h.module_id, m.module_title;
--> statement-breakpoint
CREATE VIEW relay_report_sections AS
SELECT
  h.module_id,
  m.module_title,
  NULLIF(h.section_key, 0) AS section_id,
  s.section_title,
  COUNT(DISTINCT h.user_id) AS student_count,
  COUNT(DISTINCT h.day) AS active_days,
  MIN(h.day) AS first_day,
  MAX(h.day) AS last_day,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
LEFT JOIN relay_dim_modules m ON m.module_id = h.module_id
LEFT JOIN relay_dim_sections s ON s.section_id = h.section_key
GROUP BY h.module_id, m.module_title, h.section_key, s.section_title;
--> statement-breakpoint
CREATE VIEW relay_report_days AS
SELECT
  h.day,
  COUNT(DISTINCT h.user_id) AS student_count,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
GROUP BY h.day;
--> statement-breakpoint
CREATE VIEW relay_report_hours_of_day AS
SELECT
  h.hour_of_day,
  COUNT(DISTINCT h.user_id) AS student_count,
  COUNT(DISTINCT h.day) AS active_days,
  SUM(h.session_count) AS session_count,
  SUM(h.focused_bout_count) AS focused_bout_count,
  SUM(h.unfocused_bout_count) AS unfocused_bout_count,
  MAX(h.longest_focused_bout_ms) AS longest_focused_bout_ms,
  SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(h.focused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(h.unfocused_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unfocused_share_percent,
  ROUND(100.0 * SUM(h.unknown_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS unknown_share_percent,
  ROUND(100.0 * SUM(h.untracked_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms + h.untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * SUM(h.centered_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS centered_share_percent,
  ROUND(100.0 * SUM(h.looking_left_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_left_share_percent,
  ROUND(100.0 * SUM(h.looking_right_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_right_share_percent,
  ROUND(100.0 * SUM(h.looking_up_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_up_share_percent,
  ROUND(100.0 * SUM(h.looking_down_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS looking_down_share_percent,
  ROUND(100.0 * SUM(h.face_turned_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS face_turned_share_percent,
  ROUND(100.0 * SUM(h.eyes_closed_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS eyes_closed_share_percent,
  ROUND(100.0 * SUM(h.no_face_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS no_face_share_percent,
  ROUND(100.0 * SUM(h.distracted_ms) / NULLIF(SUM(h.focused_ms + h.unfocused_ms + h.unknown_ms), 0), 2) AS distracted_share_percent,
  ROUND(100.0 * SUM(h.frames_with_face) / NULLIF(SUM(h.frames_processed), 0), 2) AS frames_with_face_percent,
  SUM(h.gateway_ms_sum) / NULLIF(SUM(h.frames_processed), 0) AS gateway_ms_mean,
  SUM(h.focused_ms) AS focused_ms,
  SUM(h.unfocused_ms) AS unfocused_ms,
  SUM(h.unknown_ms) AS unknown_ms,
  SUM(h.untracked_ms) AS untracked_ms,
  SUM(h.centered_ms) AS centered_ms,
  SUM(h.looking_left_ms) AS looking_left_ms,
  SUM(h.looking_right_ms) AS looking_right_ms,
  SUM(h.looking_up_ms) AS looking_up_ms,
  SUM(h.looking_down_ms) AS looking_down_ms,
  SUM(h.face_turned_ms) AS face_turned_ms,
  SUM(h.eyes_closed_ms) AS eyes_closed_ms,
  SUM(h.no_face_ms) AS no_face_ms,
  SUM(h.distracted_ms) AS distracted_ms,
  SUM(h.unknown_direction_ms) AS unknown_direction_ms,
  SUM(h.frames_received) AS frames_received,
  SUM(h.frames_processed) AS frames_processed,
  SUM(h.frames_dropped) AS frames_dropped,
  SUM(h.frames_with_face) AS frames_with_face,
  SUM(h.up_bytes) AS up_bytes,
  SUM(h.down_bytes) AS down_bytes
FROM relay_hours h
GROUP BY h.hour_of_day;
--> statement-breakpoint
CREATE VIEW relay_report_bouts AS
SELECT
  b.session_id,
  b.user_id,
  u.student_name,
  u.class_name,
  b.module_id,
  m.module_title,
  b.section_id,
  s.section_title,
  b.day,
  b.hour_of_day,
  b.kind,
  b.started_at_ms,
  strftime('%Y-%m-%d %H:%M:%f', b.started_at_ms / 1000.0, 'unixepoch') AS started_at_utc,
  b.duration_ms
FROM relay_bouts b
LEFT JOIN relay_dim_students u ON u.user_id = b.user_id
LEFT JOIN relay_dim_modules m ON m.module_id = b.module_id
LEFT JOIN relay_dim_sections s ON s.section_id = b.section_id;
--> statement-breakpoint
CREATE VIEW relay_report_student_bouts AS
SELECT
  r.user_id,
  r.student_name,
  r.class_name,
  r.kind,
  COUNT(*) AS bout_count,
  CAST(SUM(r.duration_ms) AS INTEGER) AS total_ms,
  ROUND(AVG(CASE WHEN r.place * 2 BETWEEN r.bouts AND r.bouts + 2 THEN r.duration_ms END)) AS median_ms,
  MAX(r.duration_ms) AS longest_ms
FROM (
  SELECT
    b.user_id,
    u.student_name,
    u.class_name,
    b.kind,
    b.duration_ms,
    ROW_NUMBER() OVER (PARTITION BY b.user_id, u.student_name, u.class_name, b.kind ORDER BY b.duration_ms) AS place,
    COUNT(*) OVER (PARTITION BY b.user_id, u.student_name, u.class_name, b.kind) AS bouts
  FROM relay_bouts b
  LEFT JOIN relay_dim_students u ON u.user_id = b.user_id
) r
GROUP BY r.user_id, r.student_name, r.class_name, r.kind;
--> statement-breakpoint
CREATE VIEW relay_report_class_bouts AS
SELECT
  r.class_name,
  r.kind,
  COUNT(*) AS bout_count,
  CAST(SUM(r.duration_ms) AS INTEGER) AS total_ms,
  ROUND(AVG(CASE WHEN r.place * 2 BETWEEN r.bouts AND r.bouts + 2 THEN r.duration_ms END)) AS median_ms,
  MAX(r.duration_ms) AS longest_ms
FROM (
  SELECT
    u.class_name,
    b.kind,
    b.duration_ms,
    ROW_NUMBER() OVER (PARTITION BY u.class_name, b.kind ORDER BY b.duration_ms) AS place,
    COUNT(*) OVER (PARTITION BY u.class_name, b.kind) AS bouts
  FROM relay_bouts b
  LEFT JOIN relay_dim_students u ON u.user_id = b.user_id
) r
GROUP BY r.class_name, r.kind;
--> statement-breakpoint
CREATE VIEW relay_report_module_bouts AS
SELECT
  r.module_id,
  r.module_title,
  r.kind,
  COUNT(*) AS bout_count,
  CAST(SUM(r.duration_ms) AS INTEGER) AS total_ms,
  ROUND(AVG(CASE WHEN r.place * 2 BETWEEN r.bouts AND r.bouts + 2 THEN r.duration_ms END)) AS median_ms,
  MAX(r.duration_ms) AS longest_ms
FROM (
  SELECT
    b.module_id,
    m.module_title,
    b.kind,
    b.duration_ms,
    ROW_NUMBER() OVER (PARTITION BY b.module_id, m.module_title, b.kind ORDER BY b.duration_ms) AS place,
    COUNT(*) OVER (PARTITION BY b.module_id, m.module_title, b.kind) AS bouts
  FROM relay_bouts b
  LEFT JOIN relay_dim_modules m ON m.module_id = b.module_id
) r
GROUP BY r.module_id, r.module_title, r.kind;
--> statement-breakpoint
CREATE VIEW relay_report_section_bouts AS
SELECT
  r.module_id,
  r.module_title,
  r.section_id,
  r.section_title,
  r.kind,
  COUNT(*) AS bout_count,
  CAST(SUM(r.duration_ms) AS INTEGER) AS total_ms,
  ROUND(AVG(CASE WHEN r.place * 2 BETWEEN r.bouts AND r.bouts + 2 THEN r.duration_ms END)) AS median_ms,
  MAX(r.duration_ms) AS longest_ms
FROM (
  SELECT
    b.module_id,
    m.module_title,
    b.section_id,
    s.section_title,
    b.kind,
    b.duration_ms,
    ROW_NUMBER() OVER (PARTITION BY b.module_id, m.module_title, b.section_id, s.section_title, b.kind ORDER BY b.duration_ms) AS place,
    COUNT(*) OVER (PARTITION BY b.module_id, m.module_title, b.section_id, s.section_title, b.kind) AS bouts
  FROM relay_bouts b
  LEFT JOIN relay_dim_modules m ON m.module_id = b.module_id
  LEFT JOIN relay_dim_sections s ON s.section_id = b.section_id
) r
GROUP BY r.module_id, r.module_title, r.section_id, r.section_title, r.kind;
--> statement-breakpoint
CREATE VIEW relay_report_day_bouts AS
SELECT
  r.day,
  r.kind,
  COUNT(*) AS bout_count,
  CAST(SUM(r.duration_ms) AS INTEGER) AS total_ms,
  ROUND(AVG(CASE WHEN r.place * 2 BETWEEN r.bouts AND r.bouts + 2 THEN r.duration_ms END)) AS median_ms,
  MAX(r.duration_ms) AS longest_ms
FROM (
  SELECT
    b.day,
    b.kind,
    b.duration_ms,
    ROW_NUMBER() OVER (PARTITION BY b.day, b.kind ORDER BY b.duration_ms) AS place,
    COUNT(*) OVER (PARTITION BY b.day, b.kind) AS bouts
  FROM relay_bouts b
) r
GROUP BY r.day, r.kind;
--> statement-breakpoint
CREATE VIEW relay_report_hour_bouts AS
SELECT
  r.hour_of_day,
  r.kind,
  COUNT(*) AS bout_count,
  CAST(SUM(r.duration_ms) AS INTEGER) AS total_ms,
  ROUND(AVG(CASE WHEN r.place * 2 BETWEEN r.bouts AND r.bouts + 2 THEN r.duration_ms END)) AS median_ms,
  MAX(r.duration_ms) AS longest_ms
FROM (
  SELECT
    b.hour_of_day,
    b.kind,
    b.duration_ms,
    ROW_NUMBER() OVER (PARTITION BY b.hour_of_day, b.kind ORDER BY b.duration_ms) AS place,
    COUNT(*) OVER (PARTITION BY b.hour_of_day, b.kind) AS bouts
  FROM relay_bouts b
) r
GROUP BY r.hour_of_day, r.kind;
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
CREATE VIEW relay_report_timeline AS
SELECT
  t.module_id,
  t.section_id,
  t.minute_no,
  COUNT(DISTINCT t.user_id) AS student_count,
  COUNT(DISTINCT t.session_id) AS session_count,
  SUM(t.distraction_count) AS distraction_count,
  SUM(t.focused_ms + t.unfocused_ms + t.unknown_ms) AS tracked_ms,
  ROUND(100.0 * SUM(t.focused_ms) / NULLIF(SUM(t.focused_ms + t.unfocused_ms + t.unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * SUM(t.unfocused_ms) / NULLIF(SUM(t.focused_ms + t.unfocused_ms + t.unknown_ms), 0), 2) AS unfocused_share_percent,
  SUM(t.focused_ms) AS focused_ms,
  SUM(t.unfocused_ms) AS unfocused_ms,
  SUM(t.unknown_ms) AS unknown_ms,
  SUM(t.untracked_ms) AS untracked_ms,
  SUM(t.no_face_ms) AS no_face_ms,
  SUM(t.face_turned_ms) AS face_turned_ms,
  SUM(t.eyes_closed_ms) AS eyes_closed_ms
FROM (
  SELECT
    e.module_id,
    e.section_id,
    e.session_id,
    e.user_id,
    (e.started_at_ms - MIN(e.started_at_ms) OVER (PARTITION BY e.module_id, e.section_id, e.session_id)) / 60000 AS minute_no,
    e.distraction_count,
    e.focused_ms,
    e.unfocused_ms,
    e.unknown_ms,
    e.untracked_ms,
    e.no_face_ms,
    e.face_turned_ms,
    e.eyes_closed_ms
  FROM (
    SELECT w.module_id, w.section_id, w.session_id, w.user_id, w.started_at_ms, 0 AS distraction_count,
      w.focused_ms, w.unfocused_ms, w.unknown_ms, w.untracked_ms, w.no_face_ms, w.face_turned_ms, w.eyes_closed_ms
    FROM relay_windows w
    UNION ALL
    SELECT b.module_id, b.section_id, b.session_id, b.user_id, b.started_at_ms, 1 AS distraction_count,
      0 AS focused_ms, 0 AS unfocused_ms, 0 AS unknown_ms, 0 AS untracked_ms, 0 AS no_face_ms, 0 AS face_turned_ms, 0 AS eyes_closed_ms
    FROM relay_bouts b
    WHERE b.kind = 'unfocused'
  ) e
) t
GROUP BY t.module_id, t.section_id, t.minute_no;
--> statement-breakpoint
DROP VIEW relay_report_sessions;
--> statement-breakpoint
CREATE VIEW relay_report_sessions AS
SELECT
  t.id AS session_id,
  session_uuid,
  t.user_id,
  u.student_name,
  u.class_name,
  t.module_id,
  m.module_title,
  started_at_ms,
  ended_at_ms,
  strftime('%Y-%m-%d %H:%M:%f', started_at_ms / 1000.0, 'unixepoch') AS started_at_utc,
  strftime('%Y-%m-%d %H:%M:%f', ended_at_ms / 1000.0, 'unixepoch') AS ended_at_utc,
  is_final,
  mode,
  rule,
  window_count,
  focused_ms + unfocused_ms + unknown_ms AS tracked_ms,
  ROUND(100.0 * focused_ms / NULLIF((focused_ms + unfocused_ms + unknown_ms), 0), 2) AS focused_share_percent,
  ROUND(100.0 * untracked_ms / NULLIF((focused_ms + unfocused_ms + unknown_ms + untracked_ms), 0), 2) AS untracked_share_percent,
  ROUND(100.0 * frames_with_face / NULLIF(frames_processed, 0), 2) AS frames_with_face_percent,
  gateway_ms_sum / NULLIF(frames_processed, 0) AS gateway_ms_mean,
  gateway_ms_sum,
  focused_bout_count,
  unfocused_bout_count,
  longest_focused_bout_ms,
  focused_ms,
  unfocused_ms,
  unknown_ms,
  untracked_ms,
  centered_ms,
  looking_left_ms,
  looking_right_ms,
  looking_up_ms,
  looking_down_ms,
  face_turned_ms,
  eyes_closed_ms,
  no_face_ms,
  distracted_ms,
  unknown_direction_ms,
  frames_received,
  frames_processed,
  frames_dropped,
  frames_with_face,
  up_bytes,
  down_bytes
FROM relay_sessions t
LEFT JOIN relay_dim_students u ON u.user_id = t.user_id
LEFT JOIN relay_dim_modules m ON m.module_id = t.module_id;
