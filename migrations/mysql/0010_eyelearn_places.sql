ALTER TABLE `relay_eyelearn_rows` ADD `user_id` int DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_eyelearn_rows` ADD `module_id` int DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `relay_eyelearn_rows` r JOIN `relay_sessions` s ON s.`id` = r.`session_id` SET r.`user_id` = s.`user_id`, r.`module_id` = s.`module_id`;--> statement-breakpoint
ALTER TABLE `relay_eyelearn_rows` DROP INDEX `relay_eyelearn_rows_key`;--> statement-breakpoint
CREATE INDEX `relay_eyelearn_rows_place` ON `relay_eyelearn_rows` (`user_id`,`day`);--> statement-breakpoint
CREATE INDEX `relay_eyelearn_rows_session` ON `relay_eyelearn_rows` (`session_id`);--> statement-breakpoint
ALTER TABLE `relay_eyelearn_rows` DROP COLUMN `roll_no`;