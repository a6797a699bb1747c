CREATE TABLE `relay_bouts` (
	`session_id` integer NOT NULL,
	`epoch` integer NOT NULL,
	`seq` integer NOT NULL,
	`bout_no` integer NOT NULL,
	`kind` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	PRIMARY KEY(`session_id`, `epoch`, `seq`, `bout_no`)
);
--> statement-breakpoint
CREATE TABLE `relay_sessions` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`session_uuid` text NOT NULL,
	`user_id` integer NOT NULL,
	`module_id` integer NOT NULL,
	`started_at_ms` integer NOT NULL,
	`ended_at_ms` integer NOT NULL,
	`is_final` integer DEFAULT 0 NOT NULL,
	`mode` text NOT NULL,
	`rule` text NOT NULL,
	`window_count` integer DEFAULT 0 NOT NULL,
	`focused_bout_count` integer DEFAULT 0 NOT NULL,
	`unfocused_bout_count` integer DEFAULT 0 NOT NULL,
	`longest_focused_bout_ms` integer DEFAULT 0 NOT NULL,
	`focused_ms` integer DEFAULT 0 NOT NULL,
	`unfocused_ms` integer DEFAULT 0 NOT NULL,
	`unknown_ms` integer DEFAULT 0 NOT NULL,
	`untracked_ms` integer DEFAULT 0 NOT NULL,
	`centered_ms` integer DEFAULT 0 NOT NULL,
	`looking_left_ms` integer DEFAULT 0 NOT NULL,
	`looking_right_ms` integer DEFAULT 0 NOT NULL,
	`looking_up_ms` integer DEFAULT 0 NOT NULL,
	`looking_down_ms` integer DEFAULT 0 NOT NULL,
	`face_turned_ms` integer DEFAULT 0 NOT NULL,
	`eyes_closed_ms` integer DEFAULT 0 NOT NULL,
	`no_face_ms` integer DEFAULT 0 NOT NULL,
	`distracted_ms` integer DEFAULT 0 NOT NULL,
	`unknown_direction_ms` integer DEFAULT 0 NOT NULL,
	`frames_received` integer DEFAULT 0 NOT NULL,
	`frames_processed` integer DEFAULT 0 NOT NULL,
	`frames_dropped` integer DEFAULT 0 NOT NULL,
	`frames_with_face` integer DEFAULT 0 NOT NULL,
	`up_bytes` integer DEFAULT 0 NOT NULL,
	`down_bytes` integer DEFAULT 0 NOT NULL,
	`gateway_ms_sum` real DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `relay_sessions_uuid` ON `relay_sessions` (`session_uuid`);--> statement-breakpoint
CREATE INDEX `relay_sessions_user` ON `relay_sessions` (`user_id`,`started_at_ms`);--> statement-breakpoint
CREATE INDEX `relay_sessions_module` ON `relay_sessions` (`module_id`,`started_at_ms`);--> statement-breakpoint
CREATE TABLE `relay_windows` (
	`session_id` integer NOT NULL,
	`epoch` integer NOT NULL,
	`seq` integer NOT NULL,
	`user_id` integer NOT NULL,
	`module_id` integer NOT NULL,
	`section_id` integer,
	`started_at_ms` integer NOT NULL,
	`ended_at_ms` integer NOT NULL,
	`is_final` integer DEFAULT 0 NOT NULL,
	`mode` text NOT NULL,
	`rule` text NOT NULL,
	`focused_ms` integer DEFAULT 0 NOT NULL,
	`unfocused_ms` integer DEFAULT 0 NOT NULL,
	`unknown_ms` integer DEFAULT 0 NOT NULL,
	`untracked_ms` integer DEFAULT 0 NOT NULL,
	`centered_ms` integer DEFAULT 0 NOT NULL,
	`looking_left_ms` integer DEFAULT 0 NOT NULL,
	`looking_right_ms` integer DEFAULT 0 NOT NULL,
	`looking_up_ms` integer DEFAULT 0 NOT NULL,
	`looking_down_ms` integer DEFAULT 0 NOT NULL,
	`face_turned_ms` integer DEFAULT 0 NOT NULL,
	`eyes_closed_ms` integer DEFAULT 0 NOT NULL,
	`no_face_ms` integer DEFAULT 0 NOT NULL,
	`distracted_ms` integer DEFAULT 0 NOT NULL,
	`unknown_direction_ms` integer DEFAULT 0 NOT NULL,
	`frames_received` integer DEFAULT 0 NOT NULL,
	`frames_processed` integer DEFAULT 0 NOT NULL,
	`frames_dropped` integer DEFAULT 0 NOT NULL,
	`frames_with_face` integer DEFAULT 0 NOT NULL,
	`up_bytes` integer DEFAULT 0 NOT NULL,
	`down_bytes` integer DEFAULT 0 NOT NULL,
	`gateway_ms_sum` real DEFAULT 0 NOT NULL,
	PRIMARY KEY(`session_id`, `epoch`, `seq`)
);
--> statement-breakpoint
CREATE INDEX `relay_windows_user` ON `relay_windows` (`user_id`,`started_at_ms`);--> statement-breakpoint
CREATE INDEX `relay_windows_module` ON `relay_windows` (`module_id`,`section_id`,`started_at_ms`);