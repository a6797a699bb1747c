CREATE TABLE `relay_hours` (
	`user_id` integer NOT NULL,
	`day` text NOT NULL,
	`hour_of_day` integer NOT NULL,
	`module_id` integer NOT NULL,
	`section_key` integer NOT NULL,
	`session_count` integer DEFAULT 0 NOT NULL,
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
	`gateway_ms_sum` real DEFAULT 0 NOT NULL,
	PRIMARY KEY(`user_id`, `day`, `hour_of_day`, `module_id`, `section_key`)
);
--> statement-breakpoint
CREATE INDEX `relay_hours_module` ON `relay_hours` (`module_id`,`day`);--> statement-breakpoint
CREATE INDEX `relay_hours_day` ON `relay_hours` (`day`);--> statement-breakpoint
CREATE TABLE `relay_settings` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `user_id` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `module_id` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `section_id` integer;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `day` text DEFAULT '1970-01-01' NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_bouts` ADD `hour_of_day` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `relay_bouts_user` ON `relay_bouts` (`user_id`,`kind`,`duration_ms`);--> statement-breakpoint
CREATE INDEX `relay_bouts_module` ON `relay_bouts` (`module_id`,`section_id`,`kind`,`duration_ms`);--> statement-breakpoint
CREATE INDEX `relay_bouts_day` ON `relay_bouts` (`day`,`kind`,`duration_ms`);