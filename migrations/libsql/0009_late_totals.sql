ALTER TABLE `relay_hours` ADD `late_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `suspect` text;--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `late_ms` integer DEFAULT 0 NOT NULL;