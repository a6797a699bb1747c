CREATE TABLE `relay_bouts` (
	`session_id` bigint NOT NULL,
	`epoch` int NOT NULL,
	`seq` int NOT NULL,
	`bout_no` int NOT NULL,
	`kind` varchar(16) NOT NULL,
	`started_at_ms` bigint NOT NULL,
	`duration_ms` bigint NOT NULL,
	CONSTRAINT `relay_bouts_session_id_epoch_seq_bout_no_pk` PRIMARY KEY(`session_id`,`epoch`,`seq`,`bout_no`)
);
--> statement-breakpoint
CREATE TABLE `relay_eyelearn_rows` (
	`id` bigint AUTO_INCREMENT NOT NULL,
	`session_id` bigint NOT NULL,
	`section_key` int NOT NULL,
	`day` date NOT NULL,
	`roll_no` int NOT NULL,
	`eyelearn_row_id` bigint,
	`focused_ms` bigint NOT NULL,
	`unfocused_ms` bigint NOT NULL,
	`focused_written_s` int NOT NULL,
	`unfocused_written_s` int NOT NULL,
	CONSTRAINT `relay_eyelearn_rows_id` PRIMARY KEY(`id`),
	CONSTRAINT `relay_eyelearn_rows_key` UNIQUE(`session_id`,`section_key`,`day`,`roll_no`)
);
--> statement-breakpoint
CREATE TABLE `relay_sessions` (
	`id` bigint AUTO_INCREMENT NOT NULL,
	`session_uuid` char(36) NOT NULL,
	`user_id` int NOT NULL,
	`module_id` int NOT NULL,
	`started_at_ms` bigint NOT NULL,
	`ended_at_ms` bigint NOT NULL,
	`is_final` tinyint NOT NULL DEFAULT 0,
	`mode` varchar(16) NOT NULL,
	`rule` varchar(16) NOT NULL,
	`window_count` int NOT NULL DEFAULT 0,
	`focused_bout_count` int NOT NULL DEFAULT 0,
	`unfocused_bout_count` int NOT NULL DEFAULT 0,
	`longest_focused_bout_ms` bigint NOT NULL DEFAULT 0,
	`focused_ms` bigint NOT NULL DEFAULT 0,
	`unfocused_ms` bigint NOT NULL DEFAULT 0,
	`unknown_ms` bigint NOT NULL DEFAULT 0,
	`untracked_ms` bigint NOT NULL DEFAULT 0,
	`centered_ms` bigint NOT NULL DEFAULT 0,
	`looking_left_ms` bigint NOT NULL DEFAULT 0,
	`looking_right_ms` bigint NOT NULL DEFAULT 0,
	`looking_up_ms` bigint NOT NULL DEFAULT 0,
	`looking_down_ms` bigint NOT NULL DEFAULT 0,
	`face_turned_ms` bigint NOT NULL DEFAULT 0,
	`eyes_closed_ms` bigint NOT NULL DEFAULT 0,
	`no_face_ms` bigint NOT NULL DEFAULT 0,
	`distracted_ms` bigint NOT NULL DEFAULT 0,
	`unknown_direction_ms` bigint NOT NULL DEFAULT 0,
	`frames_received` bigint NOT NULL DEFAULT 0,
	`frames_processed` bigint NOT NULL DEFAULT 0,
	`frames_dropped` bigint NOT NULL DEFAULT 0,
	`frames_with_face` bigint NOT NULL DEFAULT 0,
	`up_bytes` bigint NOT NULL DEFAULT 0,
	`down_bytes` bigint NOT NULL DEFAULT 0,
	`gateway_ms_sum` double NOT NULL DEFAULT 0,
	CONSTRAINT `relay_sessions_id` PRIMARY KEY(`id`),
	CONSTRAINT `relay_sessions_uuid` UNIQUE(`session_uuid`)
);
--> statement-breakpoint
CREATE TABLE `relay_windows` (
	`session_id` bigint NOT NULL,
	`epoch` int NOT NULL,
	`seq` int NOT NULL,
	`user_id` int NOT NULL,
	`module_id` int NOT NULL,
	`section_id` int,
	`started_at_ms` bigint NOT NULL,
	`ended_at_ms` bigint NOT NULL,
	`is_final` tinyint NOT NULL DEFAULT 0,
	`mode` varchar(16) NOT NULL,
	`rule` varchar(16) NOT NULL,
	`focused_ms` int NOT NULL DEFAULT 0,
	`unfocused_ms` int NOT NULL DEFAULT 0,
	`unknown_ms` int NOT NULL DEFAULT 0,
	`untracked_ms` int NOT NULL DEFAULT 0,
	`centered_ms` int NOT NULL DEFAULT 0,
	`looking_left_ms` int NOT NULL DEFAULT 0,
	`looking_right_ms` int NOT NULL DEFAULT 0,
	`looking_up_ms` int NOT NULL DEFAULT 0,
	`looking_down_ms` int NOT NULL DEFAULT 0,
	`face_turned_ms` int NOT NULL DEFAULT 0,
	`eyes_closed_ms` int NOT NULL DEFAULT 0,
	`no_face_ms` int NOT NULL DEFAULT 0,
	`distracted_ms` int NOT NULL DEFAULT 0,
	`unknown_direction_ms` int NOT NULL DEFAULT 0,
	`frames_received` int NOT NULL DEFAULT 0,
	`frames_processed` int NOT NULL DEFAULT 0,
	`frames_dropped` int NOT NULL DEFAULT 0,
	`frames_with_face` int NOT NULL DEFAULT 0,
	`up_bytes` int NOT NULL DEFAULT 0,
	`down_bytes` int NOT NULL DEFAULT 0,
	`gateway_ms_sum` double NOT NULL DEFAULT 0,
	CONSTRAINT `relay_windows_session_id_epoch_seq_pk` PRIMARY KEY(`session_id`,`epoch`,`seq`)
);
--> statement-breakpoint
CREATE INDEX `relay_eyelearn_rows_target` ON `relay_eyelearn_rows` (`eyelearn_row_id`);--> statement-breakpoint
CREATE INDEX `relay_sessions_user` ON `relay_sessions` (`user_id`,`started_at_ms`);--> statement-breakpoint
CREATE INDEX `relay_sessions_module` ON `relay_sessions` (`module_id`,`started_at_ms`);--> statement-breakpoint
CREATE INDEX `relay_windows_user` ON `relay_windows` (`user_id`,`started_at_ms`);--> statement-breakpoint
CREATE INDEX `relay_windows_module` ON `relay_windows` (`module_id`,`section_id`,`started_at_ms`);