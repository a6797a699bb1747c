<?php
// Opens the focus reports for an admin of the platform (or a teacher, where it knows teachers) with a fresh ticket.
// Lies beside relay_ticket.php; needs RELAY_GATEWAY_URL beside RELAY_JWT_SECRET.
declare(strict_types=1);

require __DIR__ . '/relay_common.php';

relay_page(
    function (): void {
        $userId = relay_user_id();
        $gateway = relay_gateway_url();
        if (filter_var($gateway, FILTER_VALIDATE_URL) === false) {
            throw new RelayFault(500, 'gateway_missing', 'Set RELAY_GATEWAY_URL for PHP: the address of the gateway, such as https://gaze.school.example.');
        }
        $database = relay_database();
        $user = relay_user($database, $userId);
        if ($user['role'] === 'student') {
            throw new RelayFault(403, 'staff_only', 'These reports are for teachers and admins.');
        }
        $module = relay_row($database, 'SELECT MIN(id) AS id FROM modules WHERE id > %d', 0);
        $claims = ['role' => $user['role'], 'mid' => max(1, (int) ($module['id'] ?? 1)), 'scope' => 'reports'] + relay_teaching($user);
        header('Cache-Control: no-store');
        header('Referrer-Policy: no-referrer');
        header("Location: $gateway/reports#ticket=" . relay_ticket($userId, $claims), true, 303);
    },
    function (RelayFault $fault): void {
        http_response_code($fault->status);
        header('Content-Type: text/html; charset=utf-8');
        $text = htmlspecialchars($fault->getMessage());
        echo "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Focus reports</title><p>$text</p><p><small>{$fault->fault}</small></p></html>";
    }
);
