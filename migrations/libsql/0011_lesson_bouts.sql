CREATE INDEX `relay_bouts_lesson` ON `relay_bouts` (`module_id`,`section_id`,`kind`,`duration_ms`,`day`,`user_id`);--> statement-breakpoint
DROP INDEX `relay_bouts_module`;
