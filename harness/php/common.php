<?php
// What the endpoints of the three lineages have in common. Written for the tests, from how such endpoints behave.

function database(): mysqli
{
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $connection = new mysqli(getenv('DB_HOST'), getenv('DB_USER'), getenv('DB_PASS'), getenv('DB_NAME'), (int) getenv('DB_PORT'));
    $connection->set_charset('utf8mb4');
    return $connection;
}

// The fault that a test asks for, once: the file is taken away.
function fault(): string
{
    $file = getenv('FAULT_FILE');
    if (!is_file($file)) {
        return '';
    }
    $fault = trim(file_get_contents($file));
    unlink($file);
    return $fault;
}

function answer(array $body): void
{
    header('Content-Type: application/json');
    echo json_encode($body);
}

function run(callable $store): void
{
    $fault = fault();
    try {
        $input = json_decode(file_get_contents('php://input'), true);
        foreach (['user_id', 'module_id', 'focused_time', 'unfocused_time', 'total_time', 'focus_percentage'] as $name) {
            if (!isset($input[$name])) {
                throw new Exception("Missing field: $name");
            }
        }
        if ($fault === 'fatal_before') {
            nobody_wrote_this_function();
        }
        if ($fault === 'silence_before') {
            sleep(10);
            return;
        }
        $id = $store($input);
    } catch (Exception $error) {
        answer(['success' => false, 'error' => $error->getMessage()]);
        return;
    }
    if ($fault === 'fatal_after') {
        nobody_wrote_this_function();
    }
    if ($fault === 'silence_after') {
        sleep(10);
    }
    answer(['success' => true, 'record_id' => $id]);
}
