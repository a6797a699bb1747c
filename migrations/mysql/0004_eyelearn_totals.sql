CREATE TABLE `relay_eyelearn_totals` (
	`target` varchar(32) NOT NULL,
	`user_id` int NOT NULL,
	`day` date NOT NULL,
	`module_id` int NOT NULL,
	`section_key` int NOT NULL,
	`session_id` bigint NOT NULL,
	`row_id` bigint,
	`focused_written_s` int NOT NULL DEFAULT 0,
	`unfocused_written_s` int NOT NULL DEFAULT 0,
	`sessions_written` int NOT NULL DEFAULT 0,
	CONSTRAINT `relay_eyelearn_totals_key` PRIMARY KEY(`target`,`user_id`,`day`,`module_id`,`section_key`,`session_id`)
);
