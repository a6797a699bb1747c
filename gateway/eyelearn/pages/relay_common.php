<?php
// Used by relay_ticket.php and relay_reports.php, which lie beside it: settings, the platform's login and
// database, signed tickets. Opened by itself it answers nothing. PHP 7.4 or later with pdo_mysql or mysqli.
declare(strict_types=1);

const RELAY_TICKET_LIFETIME_S = 300;
/** Names of one database address; each is taken as a whole or not at all. */
const RELAY_DATABASE_NAMES = [
    ['MYSQLHOST', 'MYSQLPORT', 'MYSQLUSER', 'MYSQLPASSWORD', 'MYSQLDATABASE'],
    ['MYSQL_HOST', 'MYSQL_PORT', 'MYSQL_USER', 'MYSQL_PASSWORD', 'MYSQL_DATABASE'],
    ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASS', 'DB_NAME'],
];
/** Connection files of the platform's versions, seen from its user/ folder. */
const RELAY_CONNECTION_FILES = ['../database/db_connection.php', '../config.php'];

/** What could not be done: HTTP status, stable code, and what to do about it. */
final class RelayFault extends Exception
{
    public int $status;
    public string $fault;

    public function __construct(int $status, string $fault, string $message)
    {
        parent::__construct($message);
        $this->status = $status;
        $this->fault = $fault;
    }
}

/** A setting: from the environment, from the web server (SetEnv, fastcgi_param), or from a `.env` file; '' without. */
function relay_setting(string $name): string
{
    static $file = null;
    foreach ([getenv($name), $_SERVER[$name] ?? '', $_ENV[$name] ?? ''] as $value) {
        if (is_string($value) && $value !== '') return $value;
    }
    $file ??= relay_env_file();
    return $file[$name] ?? '';
}

/** Lines `NAME=value` of the first `.env` beside this file or in the two folders above it. */
function relay_env_file(): array
{
    foreach ([__DIR__, dirname(__DIR__), dirname(__DIR__, 2)] as $folder) {
        if (!is_readable("$folder/.env")) continue;
        $values = [];
        foreach (file("$folder/.env", FILE_IGNORE_NEW_LINES) ?: [] as $line) {
            if (!preg_match('/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/', $line, $parts)) continue;
            $value = $parts[2];
            $quoted = preg_match('/^(["\'])(.*)\1$/', $value, $inner) === 1;
            $values[$parts[1]] = $quoted ? $inner[2] : rtrim(preg_replace('/\s#.*$/', '', $value));
        }
        return $values;
    }
    return [];
}

/** The logged-in user's id. Throws RelayFault `not_logged_in`. The lines to change where the login is another one. */
function relay_user_id(): int
{
    session_start(['read_and_close' => true]);
    $userId = (int) ($_SESSION['user_id'] ?? 0);
    if ($userId < 1) throw new RelayFault(401, 'not_logged_in', 'Log in first.');
    return $userId;
}

/** Address of the gateway without a slash at its end: from the settings, or as the installer wrote it down; '' without. */
function relay_gateway_url(): string
{
    $written = is_file(__DIR__ . '/relay_gateway.php') ? (string) include __DIR__ . '/relay_gateway.php' : '';
    return rtrim(relay_setting('RELAY_GATEWAY_URL') ?: $written, '/');
}

/** The secret shared with the gateway. Throws RelayFault `secret_missing`. */
function relay_secret(): string
{
    $secret = relay_setting('RELAY_JWT_SECRET');
    if (strlen($secret) >= 32) return $secret;
    throw new RelayFault(500, 'secret_missing', 'RELAY_JWT_SECRET is missing or shorter than 32 characters: give PHP the same one as the gateway.');
}

/** Host, port, user, password, database from the environment; null where no set of names is there. */
function relay_database_address(): ?array
{
    $url = parse_url(relay_setting('MYSQL_URL'));
    if (is_array($url) && isset($url['host'])) {
        return [
            $url['host'],
            (int) ($url['port'] ?? 3306),
            rawurldecode($url['user'] ?? ''),
            rawurldecode($url['pass'] ?? ''),
            rawurldecode(ltrim($url['path'] ?? '', '/')),
        ];
    }
    foreach (RELAY_DATABASE_NAMES as $names) {
        [$host, $port, $user, $password, $name] = array_map('relay_setting', $names);
        if ($host !== '') return [$host, (int) $port ?: 3306, $user, $password, $name];
    }
    return null;
}

/** A connection, PDO or mysqli: of the environment's address, of the platform's own file, or of XAMPP's defaults. */
function relay_database(): object
{
    $address = relay_database_address();
    if ($address !== null) return relay_connect($address);
    foreach (RELAY_CONNECTION_FILES as $file) {
        if (!is_file(__DIR__ . "/$file")) continue;
        $connection = relay_platform_connection(__DIR__ . "/$file");
        if ($connection !== null) return $connection;
    }
    try {
        return relay_connect(['localhost', 3306, 'root', '', 'elearn_db']);
    } catch (Throwable $error) {
        throw new RelayFault(503, 'database_not_configured', 'No database is configured for this page: set MYSQL_URL, or DB_HOST, DB_USER, DB_PASS and DB_NAME.');
    }
}

function relay_connect(array $address): object
{
    [$host, $port, $user, $password, $name] = $address;
    if (extension_loaded('pdo_mysql')) {
        $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 5];
        return new PDO("mysql:host=$host;port=$port;dbname=$name;charset=utf8mb4", $user, $password, $options);
    }
    if (!extension_loaded('mysqli')) {
        throw new RelayFault(500, 'extension_missing', 'PHP has neither pdo_mysql nor mysqli: enable one of them in php.ini.');
    }
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    return new mysqli($host, $user, $password, $name, $port);
}

/** What the platform's connection file offers, under the names its versions use; null where it offers nothing. */
function relay_platform_connection(string $file): ?object
{
    // Such a file may print, and may end the request where the database is away.
    ob_start();
    $ended = true;
    register_shutdown_function(function () use (&$ended): void {
        if (!$ended) return;
        while (ob_get_level() > 0) ob_end_clean();
        relay_answer(503, ['error' => 'database_unreachable', 'message' => 'The platform could not connect to its database.']);
    });
    try {
        require_once $file;
        $offered = [$pdo ?? null, $conn ?? null, $GLOBALS['pdo'] ?? null, $GLOBALS['conn'] ?? null];
        foreach (['getPDOConnection', 'getDBConnection', 'getMysqliConnection'] as $function) {
            if (function_exists($function)) $offered[] = $function();
        }
    } finally {
        $ended = false;
        ob_end_clean();
    }
    foreach ($offered as $connection) {
        if ($connection instanceof PDO) $connection->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
        if ($connection instanceof PDO || ($connection instanceof mysqli && !$connection->connect_errno)) return $connection;
    }
    return null;
}

/** The one row of a query with a whole number in it; null without one. */
function relay_row(object $database, string $sql, int $number): ?array
{
    $result = $database->query(sprintf($sql, $number));
    if ($result === false) throw new RelayFault(500, 'database_error', 'The database refused a query.');
    $row = $result instanceof PDOStatement ? $result->fetch(PDO::FETCH_ASSOC) : $result->fetch_assoc();
    return is_array($row) ? $row : null;
}

/** The platform's row of a user, with a role that tickets know. Throws RelayFault `not_logged_in`. */
function relay_user(object $database, int $userId): array
{
    $row = relay_row($database, 'SELECT * FROM users WHERE id = %d', $userId);
    if ($row === null) throw new RelayFault(401, 'not_logged_in', 'Log in again: this account is not there any more.');
    $role = $row['role'] ?? 'student';
    return ['role' => in_array($role, ['admin', 'teacher'], true) ? $role : 'student'] + $row;
}

/**
 * The claims that say of whom a teacher may read: the school class in the teacher's own row, where it has one. Put the classes
 * (`classes`) and module ids (`modules`) of your teachers here where the platform knows them; 'classes' => 'all' opens the
 * whole school. Without either a teacher sees figures of groups and no names.
 */
function relay_teaching(array $user): array
{
    $class = trim((string) ($user['section'] ?? ''));
    return $user['role'] === 'teacher' && $class !== '' ? ['classes' => [$class]] : [];
}

/** A signed ticket (JWT, HS256) with these claims beside the ones every ticket has. */
function relay_ticket(int $userId, array $claims): string
{
    $encode = fn(string $bytes): string => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $now = time();
    $claims += [
        'aud' => 'edge-relay',
        'sub' => (string) $userId,
        'iat' => $now,
        'exp' => $now + RELAY_TICKET_LIFETIME_S,
        'jti' => bin2hex(random_bytes(16)),
    ];
    $unsigned = $encode('{"alg":"HS256","typ":"JWT"}') . '.' . $encode(json_encode($claims));
    return $unsigned . '.' . $encode(hash_hmac('sha256', $unsigned, relay_secret(), true));
}

function relay_answer(int $status, array $body): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode($body);
}

/** What a failed database call means, by MySQL's error number or SQLSTATE; details go to PHP's log alone. */
function relay_database_fault(Throwable $error): RelayFault
{
    error_log('gaze-relay: ' . $error->getMessage());
    $number = $error instanceof PDOException ? (int) ($error->errorInfo[1] ?? $error->getCode()) : (int) $error->getCode();
    switch ($number) {
        case 1044:
        case 1045:
        case 1142:
            return new RelayFault(503, 'database_access_denied', 'The database refuses this user: check name, password and rights.');
        case 1049:
            return new RelayFault(503, 'database_unknown', 'There is no database of this name on the server.');
        case 1054:
            return new RelayFault(500, 'column_missing', "A column of the platform's tables is missing; PHP's log names it.");
        case 1146:
            return new RelayFault(500, 'table_missing', "A table of the platform is missing; PHP's log names it.");
        case 2002:
        case 2003:
        case 2005:
        case 2006:
        case 2013:
            return new RelayFault(503, 'database_unreachable', 'The database cannot be reached; try again.');
        default:
            return new RelayFault(500, 'database_error', "The database answered with an error; PHP's log has it.");
    }
}

/** Runs a page; whatever goes wrong in it is given to $onFault. */
function relay_page(callable $page, callable $onFault): void
{
    ini_set('display_errors', '0');
    try {
        $page();
    } catch (RelayFault $fault) {
        $onFault($fault);
    } catch (PDOException | mysqli_sql_exception $error) {
        $onFault(relay_database_fault($error));
    } catch (Throwable $error) {
        error_log('gaze-relay: ' . $error->getMessage());
        $onFault(new RelayFault(500, 'page_failed', "This page failed; PHP's log says why."));
    }
}
