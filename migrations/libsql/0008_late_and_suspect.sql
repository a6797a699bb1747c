ALTER TABLE `relay_windows` ADD `late_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `suspect` text;