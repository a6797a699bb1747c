CREATE INDEX `relay_sessions_started` ON `relay_sessions` (`started_at_ms`);
--> statement-breakpoint
CREATE VIEW relay_dim_quizzes AS
SELECT NULL AS quiz_kind, id AS result_id, id AS quiz_id, user_id, module_id, NULL AS score, NULL AS score_percent, started_at_ms AS taken_at_ms
FROM relay_sessions WHERE 1 = 0;
--> statement-breakpoint
CREATE VIEW relay_report_quiz AS
SELECT
  p.user_id,
  u.student_name,
  u.class_name,
  p.module_id,
  m.module_title,
  p.quiz_kind,
  p.quiz_id,
  p.result_id,
  p.taken_at_ms,
  strftime('%Y-%m-%d %H:%M:%f', p.taken_at_ms / 1000.0, 'unixepoch') AS taken_at_utc,
  p.score,
  p.score_percent,
  p.before_tracked_ms,
  p.before_focused_ms,
  ROUND(100.0 * p.before_focused_ms / NULLIF(p.before_tracked_ms, 0), 2) AS before_focused_share_percent,
  p.after_tracked_ms,
  p.after_focused_ms,
  ROUND(100.0 * p.after_focused_ms / NULLIF(p.after_tracked_ms, 0), 2) AS after_focused_share_percent,
  p.module_tracked_ms,
  p.module_focused_ms,
  ROUND(100.0 * p.module_focused_ms / NULLIF(p.module_tracked_ms, 0), 2) AS module_focused_share_percent
FROM (
  SELECT
    r.*,
    (SELECT SUM(s.focused_ms + s.unfocused_ms + s.unknown_ms) FROM relay_sessions s WHERE s.user_id = r.user_id AND s.module_id = r.module_id AND s.started_at_ms < r.taken_at_ms) AS module_tracked_ms,
    (SELECT SUM(s.focused_ms) FROM relay_sessions s WHERE s.user_id = r.user_id AND s.module_id = r.module_id AND s.started_at_ms < r.taken_at_ms) AS module_focused_ms
  FROM (
    SELECT
      q.quiz_kind, q.result_id, q.quiz_id, q.user_id, q.module_id, q.score, q.score_percent, q.taken_at_ms,
      SUM(CASE WHEN w.started_at_ms < q.taken_at_ms THEN w.focused_ms + w.unfocused_ms + w.unknown_ms ELSE 0 END) AS before_tracked_ms,
      SUM(CASE WHEN w.started_at_ms < q.taken_at_ms THEN w.focused_ms ELSE 0 END) AS before_focused_ms,
      SUM(CASE WHEN w.started_at_ms >= q.taken_at_ms THEN w.focused_ms + w.unfocused_ms + w.unknown_ms ELSE 0 END) AS after_tracked_ms,
      SUM(CASE WHEN w.started_at_ms >= q.taken_at_ms THEN w.focused_ms ELSE 0 END) AS after_focused_ms
    FROM relay_dim_quizzes q
    LEFT JOIN relay_windows w ON w.user_id = q.user_id AND w.started_at_ms >= q.taken_at_ms - 1800000 AND w.started_at_ms < q.taken_at_ms + 1800000
    GROUP BY q.quiz_kind, q.result_id, q.quiz_id, q.user_id, q.module_id, q.score, q.score_percent, q.taken_at_ms
  ) r
) p
LEFT JOIN relay_dim_students u ON u.user_id = p.user_id
LEFT JOIN relay_dim_modules m ON m.module_id = p.module_id;
