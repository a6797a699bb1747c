-- The report views are made from gateway/store/views.
CREATE INDEX `relay_sessions_started` ON `relay_sessions` (`started_at_ms`);
--> statement-breakpoint
CREATE VIEW relay_dim_quizzes AS
SELECT NULL AS quiz_kind, id AS result_id, id AS quiz_id, user_id, module_id, NULL AS score, NULL AS score_percent, started_at_ms AS taken_at_ms
FROM relay_sessions WHERE 1 = 0;
