ALTER TABLE `relay_hours` ADD `paused_hidden_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_hours` ADD `paused_student_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_hours` ADD `paused_camera_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_hours` ADD `second_face_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `paused_hidden_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `paused_student_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `paused_camera_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_sessions` ADD `second_face_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `paused_hidden_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `paused_student_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `paused_camera_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `relay_windows` ADD `second_face_ms` integer DEFAULT 0 NOT NULL;