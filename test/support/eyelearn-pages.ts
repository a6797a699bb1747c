/** The platform's versions whose pages are tried; `A ajax` is an older state of A. */
export const LINEAGES = ['A', 'A ajax', 'B or D', 'C'] as const;
export type PageLineage = (typeof LINEAGES)[number];

const LOGIN = "<?php session_start(); $_SESSION['user_id'] = (int) $_GET['id']; echo 'in';";

/** Asks for the camera agreement as the platform does, and notes the answer in its table. */
const AGREE = `<?php session_start();
$database = new PDO(sprintf('mysql:host=%s;port=%s;dbname=%s', getenv('DB_HOST'), getenv('DB_PORT'), getenv('DB_NAME')), getenv('DB_USER'), getenv('DB_PASS'));
$database->prepare('UPDATE users SET camera_agreement_accepted = 1, camera_agreement_date = NOW() WHERE id = ?')->execute([$_SESSION['user_id']]);
echo 'agreed';`;

/** The platform's dashboard: time of the day's rows, without those that it takes for noise. */
const DASHBOARD = `<?php session_start();
$database = new PDO(sprintf('mysql:host=%s;port=%s;dbname=%s', getenv('DB_HOST'), getenv('DB_PORT'), getenv('DB_NAME')), getenv('DB_USER'), getenv('DB_PASS'));
$rows = $database->prepare('SELECT section_id, total_time_seconds, focused_time_seconds FROM eye_tracking_sessions
  WHERE user_id = ? AND total_time_seconds BETWEEN 30 AND 7200 ORDER BY id');
$rows->execute([$_SESSION['user_id']]);
header('Content-Type: application/json');
echo json_encode($rows->fetchAll(PDO::FETCH_NUM));`;

const HEAD = `<?php session_start();
$user_id = $_SESSION['user_id'] ?? null;
if (!$user_id) { header('Location: ../login.php'); exit; }
$selected_module_id = (int) ($_GET['module_id'] ?? 0);
$selected_section_id = isset($_GET['section_id']) ? (int) $_GET['section_id'] : null;
$quiz_id = '';
?><!doctype html><html><head><title>Lesson</title><meta name="viewport" content="width=device-width">`;
const TEXT =
  '<main id="content" style="max-width:60ch;margin:2em auto;font:16px sans-serif">A lesson to be read.</main>';
const NEXT_BY_LOAD =
  '<a id="next" href="?module_id=<?php echo $selected_module_id; ?>&section_id=<?php echo $selected_section_id + 1; ?>">Next</a>';
const NEXT_BY_SCRIPT = `<button id="next">Next</button><script>
document.getElementById('next').addEventListener('click', () => {
  const address = new URL(location.href);
  const section = Number(address.searchParams.get('section_id')) + 1;
  address.searchParams.set('section_id', section);
  history.pushState({}, '', address);
  document.getElementById('content').innerHTML = 'The next section.';
  if (window.cvEyeTracker) window.cvEyeTracker.switchSection(section);
});</script>`;

/** What the second tracker of A does: a camera stream of its own. */
const SECOND_TRACKER = `<script>
window.secondTracker = navigator.mediaDevices.getUserMedia({ video: true });
</script>`;

const WIDGET = `<div id="eye-tracking-widget" style="display:none"><h3>Focus</h3><span id="tracking-status-indicator"></span>
<span id="focused-time"></span><span id="unfocused-time"></span><span id="session-time"></span>
<span id="focus-percentage"></span><div id="focus-progress-bar"></div><div id="current-focus-status"></div></div>`;

/** Lesson pages that behave as each version's do; the scripts they load are the platform's, which is broken or away. */
const LESSONS: Readonly<Record<PageLineage, string>> = {
  // The page's own start does not parse, and would throw; a second tracker is included.
  A: `${HEAD}<script src="js/webcam-websocket.js?v=<?php echo time(); ?>"></script></head><body>${TEXT}${NEXT_BY_LOAD}
<script>const quiz = { quiz_id: <?php echo $quiz_id; ?>, module: 1 }; new WebcamWebSocket({});</script>
<script>document.addEventListener('DOMContentLoaded', () => document.getElementById('eye-tracking-widget').addEventListener('mousedown', () => {}));</script>
<?php include 'includes/eye-tracking-init.php'; ?>
</body></html>`,
  // The page starts the tracker itself, has its widget, and changes sections without a load and without a word.
  'A ajax': `${HEAD}<script src="js/webcam-websocket.js"></script></head><body>${WIDGET}${TEXT}${NEXT_BY_SCRIPT}
<script>document.addEventListener('DOMContentLoaded', () => {
  const webcamSocket = new WebcamWebSocket({ onTrackingUpdate: () => {}, onConnectionChange: () => {}, onError: (error) => console.error(error.message) });
  webcamSocket.initialize(<?php echo json_encode($user_id); ?>, <?php echo $selected_module_id; ?>, <?php echo json_encode($selected_section_id); ?>);
  window.addEventListener('beforeunload', () => webcamSocket.disconnect());
});</script></body></html>`,
  // The script starts itself from the address.
  'B or D': `${HEAD}<script src="js/cv-eye-tracking.js?enhanced_<?php echo time(); ?>"></script></head><body>${TEXT}${NEXT_BY_SCRIPT}</body></html>`,
  // The page makes the object itself, tries again where the class is late, and stops it when it is left.
  C: `${HEAD}<script src="js/cv-eye-tracking-client.js?<?php echo time(); ?>"></script></head><body>${TEXT}${NEXT_BY_LOAD}
<script>function begin(tries) {
  if (typeof CVEyeTrackingSystem === 'undefined') { if (tries > 0) setTimeout(() => begin(tries - 1), 500); return; }
  window.eyeTracker = new CVEyeTrackingSystem(<?php echo $selected_module_id; ?>, <?php echo json_encode($selected_section_id); ?>);
  window.eyeTracker.init();
}
document.addEventListener('DOMContentLoaded', () => begin(3));
window.addEventListener('beforeunload', () => window.eyeTracker && window.eyeTracker.stopTracking());
</script></body></html>`,
};

/** Sources of a platform that behaves as this version does, by path. */
export function platformFiles(lineage: PageLineage): Record<string, string> {
  return {
    'login.php': LOGIN,
    'agree.php': AGREE,
    'dashboard.php': DASHBOARD,
    'user/Smodulepart.php': LESSONS[lineage],
    'user/Smodule.php': `<html><head><script src="js/cv-eye-tracking.js?<?php echo time(); ?>"></script></head><body>Modules</body></html>`,
    'user/includes/eye-tracking-init.php': SECOND_TRACKER,
    'admin/Adashboard.php': '<html><body>Admin</body></html>',
  };
}
