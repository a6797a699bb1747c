ALTER TABLE `relay_windows` ADD `late_ms` int DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `suspect` varchar(16);