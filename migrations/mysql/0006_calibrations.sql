CREATE TABLE `relay_calibrations` (
	`user_id` int NOT NULL,
	`device_id` char(36) NOT NULL,
	`created_at_ms` bigint NOT NULL,
	`version` int NOT NULL,
	`point_count` int NOT NULL,
	`validation_yaw_deg` double,
	`validation_pitch_deg` double,
	`calibration_json` text NOT NULL,
	CONSTRAINT `relay_calibrations_key` PRIMARY KEY(`user_id`,`device_id`,`created_at_ms`)
);
--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `calibration_version` int;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `calibrated_at_ms` bigint;--> statement-breakpoint
CREATE INDEX `relay_calibrations_created` ON `relay_calibrations` (`created_at_ms`);