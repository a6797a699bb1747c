ALTER TABLE `relay_hours` ADD `late_ms` bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `suspect` varchar(16);--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `late_ms` bigint DEFAULT 0 NOT NULL;