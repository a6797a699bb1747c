<?php
// Answers {"ticket": "…"} for who is logged in and, a student, has agreed to the camera; otherwise an error with a
// code and a sentence. Lies beside EyeLearn's pages, with relay_common.php; needs RELAY_JWT_SECRET, the gateway's own.
declare(strict_types=1);

require __DIR__ . '/relay_common.php';

relay_page(
    function (): void {
        $userId = relay_user_id();
        $moduleId = filter_var($_GET['moduleId'] ?? '', FILTER_VALIDATE_INT, ['options' => ['min_range' => 1]]);
        if ($moduleId === false) throw new RelayFault(400, 'module_id_invalid', 'moduleId must be the id of a module.');
        relay_secret();
        $database = relay_database();
        $user = relay_user($database, $userId);
        if ($user['role'] === 'student') {
            if (!array_key_exists('camera_agreement_accepted', $user)) {
                throw new RelayFault(500, 'agreement_column_missing', 'users.camera_agreement_accepted is missing: without it nobody can have agreed to the camera.');
            }
            if ((int) $user['camera_agreement_accepted'] !== 1) {
                throw new RelayFault(403, 'camera_not_agreed', 'Accept the camera agreement first; until then nothing is recorded.');
            }
        }
        if (relay_row($database, 'SELECT id FROM modules WHERE id = %d', $moduleId) === null) {
            throw new RelayFault(404, 'module_not_found', "There is no module $moduleId.");
        }
        relay_answer(200, ['ticket' => relay_ticket($userId, ['role' => $user['role'], 'mid' => $moduleId])]);
    },
    function (RelayFault $fault): void {
        relay_answer($fault->status, ['error' => $fault->fault, 'message' => $fault->getMessage()]);
    }
);
