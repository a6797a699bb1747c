CREATE TABLE `relay_audit` (
	`id` bigint AUTO_INCREMENT NOT NULL,
	`at_ms` bigint NOT NULL,
	`actor_user_id` int,
	`actor_role` varchar(16) NOT NULL,
	`action` varchar(32) NOT NULL,
	`subject_user_id` int NOT NULL,
	`detail` varchar(200) NOT NULL DEFAULT '',
	CONSTRAINT `relay_audit_id` PRIMARY KEY(`id`)
);
--> statement-breakpoint
CREATE INDEX `relay_audit_subject` ON `relay_audit` (`subject_user_id`,`at_ms`);