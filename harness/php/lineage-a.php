<?php
// Adds to today's newest row of the student, module and section: reads, adds, writes, without a lock.
require __DIR__ . '/common.php';

run(function (array $input): int {
    $db = database();
    $user = (int) $input['user_id'];
    $module = (int) $input['module_id'];
    $section = isset($input['section_id']) ? (int) $input['section_id'] : null;
    $focused = (int) $input['focused_time'];
    $unfocused = (int) $input['unfocused_time'];
    $total = (int) $input['total_time'];
    $where = $section === null ? '' : ' AND section_id = ' . $section;
    $found = $db->query(
        "SELECT id, total_time_seconds, focused_time_seconds, unfocused_time_seconds FROM eye_tracking_sessions
         WHERE user_id = $user AND module_id = $module$where AND DATE(created_at) = CURDATE() ORDER BY id DESC LIMIT 1"
    )->fetch_assoc();
    if ($found) {
        $statement = $db->prepare(
            'UPDATE eye_tracking_sessions SET total_time_seconds = ?, focused_time_seconds = ?, unfocused_time_seconds = ? WHERE id = ?'
        );
        $newTotal = $found['total_time_seconds'] + $total;
        $newFocused = $found['focused_time_seconds'] + $focused;
        $newUnfocused = $found['unfocused_time_seconds'] + $unfocused;
        $statement->bind_param('iiii', $newTotal, $newFocused, $newUnfocused, $found['id']);
        $statement->execute();
        return (int) $found['id'];
    }
    $statement = $db->prepare(
        "INSERT INTO eye_tracking_sessions (user_id, module_id, section_id, total_time_seconds, focused_time_seconds, unfocused_time_seconds, session_type)
         VALUES (?, ?, ?, ?, ?, ?, 'viewing')"
    );
    $statement->bind_param('iiiiii', $user, $module, $section, $total, $focused, $unfocused);
    $statement->execute();
    return (int) $db->insert_id;
});
