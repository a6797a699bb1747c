CREATE TABLE `relay_hours` (
	`user_id` int NOT NULL,
	`day` date NOT NULL,
	`hour_of_day` tinyint NOT NULL,
	`module_id` int NOT NULL,
	`section_key` int NOT NULL,
	`session_count` int NOT NULL DEFAULT 0,
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
	CONSTRAINT `relay_hours_user_id_day_hour_of_day_module_id_section_key_pk` PRIMARY KEY(`user_id`,`day`,`hour_of_day`,`module_id`,`section_key`)
);
--> statement-breakpoint
CREATE TABLE `relay_settings` (
	`name` varchar(64) NOT NULL,
	`value` text NOT NULL,
	CONSTRAINT `relay_settings_name` PRIMARY KEY(`name`)
);
--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `user_id` int DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `module_id` int DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `section_id` int;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `day` date DEFAULT '1970-01-01' NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `hour_of_day` tinyint DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `relay_hours_module` ON `relay_hours` (`module_id`,`day`);--> statement-breakpoint
CREATE INDEX `relay_hours_day` ON `relay_hours` (`day`);--> statement-breakpoint
CREATE INDEX `relay_bouts_user` ON `relay_bouts` (`user_id`,`kind`,`duration_ms`);--> statement-breakpoint
CREATE INDEX `relay_bouts_module` ON `relay_bouts` (`module_id`,`section_id`,`kind`,`duration_ms`);--> statement-breakpoint
CREATE INDEX `relay_bouts_day` ON `relay_bouts` (`day`,`kind`,`duration_ms`);