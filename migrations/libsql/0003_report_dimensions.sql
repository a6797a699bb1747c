-- The report views are made from gateway/store/views.
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
