<?php
// Writes to a column that is not there: it always fails.
require __DIR__ . '/common.php';

run(function (array $input): int {
    $db = database();
    $statement = $db->prepare('INSERT INTO eye_tracking_sessions (user_id, module_id, session_start) VALUES (?, ?, NOW())');
    $values = [(int) $input['user_id'], (int) $input['module_id']];
    $statement->bind_param('ii', ...$values);
    $statement->execute();
    return (int) $db->insert_id;
});
