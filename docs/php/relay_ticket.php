<?php
// Answers {"ticket": "…"} for the student who is logged in and has agreed to the camera. Lies beside
// EyeLearn's pages; needs RELAY_JWT_SECRET, the same as the gateway's, and a way to the database.
declare(strict_types=1);

const LIFETIME_S = 300;

function answer(int $status, array $body): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode($body);
    exit;
}

function setting(string ...$names): string
{
    foreach ($names as $name) {
        $value = getenv($name);
        if ($value !== false && $value !== '') return $value;
    }
    return '';
}

function base64url(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

// Take the two lines of your own login and database instead, if they differ.
session_start(['read_and_close' => true]);
$userId = (int) ($_SESSION['user_id'] ?? 0);
if ($userId < 1) answer(401, ['error' => 'not_logged_in']);

$moduleId = filter_var($_GET['moduleId'] ?? '', FILTER_VALIDATE_INT, ['options' => ['min_range' => 1]]);
if ($moduleId === false) answer(400, ['error' => 'module_id_invalid']);

$secret = setting('RELAY_JWT_SECRET');
if (strlen($secret) < 32) answer(500, ['error' => 'secret_missing']);

try {
    $database = new PDO(
        sprintf(
            'mysql:host=%s;port=%d;dbname=%s;charset=utf8mb4',
            setting('DB_HOST', 'MYSQLHOST'),
            (int) (setting('DB_PORT', 'MYSQLPORT') ?: 3306),
            setting('DB_NAME', 'MYSQLDATABASE')
        ),
        setting('DB_USER', 'MYSQLUSER'),
        setting('DB_PASS', 'MYSQLPASSWORD'),
        [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]
    );
    $query = $database->prepare('SELECT role, camera_agreement_accepted AS agreed FROM users WHERE id = ?');
    $query->execute([$userId]);
    $user = $query->fetch(PDO::FETCH_ASSOC);
} catch (PDOException $error) {
    error_log('relay_ticket: ' . $error->getMessage());
    answer(503, ['error' => 'database_unreachable']);
}
if ($user === false) answer(401, ['error' => 'not_logged_in']);
if ((int) $user['agreed'] !== 1) answer(403, ['error' => 'camera_not_agreed']);

$now = time();
$claims = [
    'aud' => 'edge-relay',
    'sub' => (string) $userId,
    'role' => $user['role'] === 'admin' ? 'admin' : 'student',
    'mid' => $moduleId,
    'iat' => $now,
    'exp' => $now + LIFETIME_S,
    'jti' => bin2hex(random_bytes(16)),
];
$unsigned = base64url(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])) . '.' . base64url(json_encode($claims));
answer(200, ['ticket' => $unsigned . '.' . base64url(hash_hmac('sha256', $unsigned, $secret, true))]);
