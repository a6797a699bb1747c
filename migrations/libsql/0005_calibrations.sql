CREATE TABLE `relay_calibrations` (
	`user_id` integer NOT NULL,
	`device_id` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`version` integer NOT NULL,
	`point_count` integer NOT NULL,
	`validation_yaw_deg` real,
	`validation_pitch_deg` real,
	`calibration_json` text NOT NULL,
	PRIMARY KEY(`user_id`, `device_id`, `created_at_ms`)
);
--> statement-breakpoint
CREATE INDEX `relay_calibrations_created` ON `relay_calibrations` (`created_at_ms`);--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `calibration_version` integer;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `calibrated_at_ms` integer;