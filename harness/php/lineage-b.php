<?php
// One row for each post, the session type as it was posted.
require __DIR__ . '/common.php';

run(function (array $input): int {
    $db = database();
    $section = isset($input['section_id']) ? (int) $input['section_id'] : null;
    $type = $input['session_type'] ?? 'cv_tracking';
    $statement = $db->prepare(
        'INSERT INTO eye_tracking_sessions (user_id, module_id, section_id, total_time_seconds, focused_time_seconds, unfocused_time_seconds, session_type)
         VALUES (?, ?, ?, ?, ?, ?, ?)'
    );
    $values = [(int) $input['user_id'], (int) $input['module_id'], $section, (int) $input['total_time'], (int) $input['focused_time'], (int) $input['unfocused_time'], $type];
    $statement->bind_param('iiiiiis', ...$values);
    $statement->execute();
    return (int) $db->insert_id;
});
