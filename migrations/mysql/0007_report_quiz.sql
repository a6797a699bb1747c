-- The report views are made from gateway/store/views.
CREATE INDEX `relay_sessions_started` ON `relay_sessions` (`started_at_ms`);
--> statement-breakpoint
CREATE OR REPLACE VIEW relay_dim_quizzes AS
SELECT CAST(NULL AS CHAR(16)) AS quiz_kind, id AS result_id, id AS quiz_id, user_id, module_id, CAST(NULL AS DECIMAL(10, 2)) AS score,
  CAST(NULL AS DECIMAL(5, 2)) AS score_percent, started_at_ms AS taken_at_ms
FROM relay_sessions WHERE 1 = 0;
