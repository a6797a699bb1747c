CREATE TABLE `relay_audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at_ms` integer NOT NULL,
	`actor_user_id` integer,
	`actor_role` text NOT NULL,
	`action` text NOT NULL,
	`subject_user_id` integer NOT NULL,
	`detail` text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE INDEX `relay_audit_subject` ON `relay_audit` (`subject_user_id`,`at_ms`);