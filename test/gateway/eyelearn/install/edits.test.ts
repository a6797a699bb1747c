import { describe, expect, it } from 'vitest';
import {
  adminEdits,
  applyEdits,
  gatewayTag,
  lessonEdits,
  revertEdits,
  trackerTags,
} from '../../../../gateway/eyelearn/install/edits.ts';

const GATEWAY = 'https://gaze.school.example';

function installed(source: string, gateway: string | null = GATEWAY): string {
  return applyEdits(source, lessonEdits(source, gateway));
}

describe('the tag of a tracker', () => {
  it.each([
    ['<script src="js/webcam-websocket.js"></script>', 'webcam-websocket.js'],
    ["<script defer src='js/webcam-websocket.js?v=3' ></script>", 'webcam-websocket.js'],
    ['<SCRIPT SRC="js/cv-eye-tracking.js?reload_<?php echo time(); ?>"></SCRIPT>', 'cv-eye-tracking.js'],
    ['<script src="js/cv-eye-tracking-client.js?v=<?= $a > 1 ? 2 : 3 ?>">\n</script>', 'cv-eye-tracking-client.js'],
    ['<script src="<?php echo $base; ?>/js/cv-eye-tracking.js"></script>', 'cv-eye-tracking.js'],
  ])('%s', (tag, script) => {
    const source = `<head>\n${tag}\n<title>x</title></head>`;
    expect(trackerTags(source)).toEqual([{ script, text: tag, offset: 7, isOurs: false }]);
    expect(installed(source)).toBe(
      source.replace(tag, () => gatewayTag(trackerTags(source)[0]?.script ?? 'webcam-websocket.js', GATEWAY)),
    );
  });

  it.each([
    '<script>const a = "js/webcam-websocket.js";</script>',
    '<script src="js/my-webcam-websocket.js"></script>',
    '<script src="js/webcam-websocket.js.map"></script>',
    '<!-- js/webcam-websocket.js -->',
  ])('is not: %s', (source) => {
    expect(trackerTags(source)).toEqual([]);
    expect(installed(source)).toBe(source);
  });

  it('everything around it stays as it is, byte by byte, line ends too', () => {
    const before = 'caf\xe9 \xff\r\n<p>';
    const source = `${before}<script src="js/cv-eye-tracking.js"></script>\r\n\x80`;
    expect(installed(source).startsWith(before)).toBe(true);
    expect(installed(source).endsWith('\r\n\x80')).toBe(true);
  });
});

describe('a lesson page', () => {
  const PAGE = `<script src="js/webcam-websocket.js"></script>
<body><?php include 'includes/eye-tracking-init.php'; ?></body>
<?php
require_once("includes/eye-tracking-init.php");
$other = 1;
?>`;

  it('the second tracker is commented out inside PHP, where it would run in an HTML comment', () => {
    const result = installed(PAGE);
    expect(result).toContain("<?php /* gaze-relay: include 'includes/eye-tracking-init.php'; */ ?>");
    expect(result).toContain('/* gaze-relay: require_once("includes/eye-tracking-init.php"); */');
    expect(result).toContain('$other = 1;');
  });

  it('a second installation finds nothing to do; another gateway replaces the address alone', () => {
    const once = installed(PAGE);
    expect(lessonEdits(once, GATEWAY)).toEqual([]);
    const moved = installed(once, 'https://other.example');
    expect(moved).toBe(once.replaceAll(GATEWAY, 'https://other.example'));
  });

  it('is taken back to what it was, also when it was changed elsewhere meanwhile', () => {
    const edits = lessonEdits(PAGE, GATEWAY);
    const once = applyEdits(PAGE, edits);
    expect(revertEdits(once, edits)).toBe(PAGE);
    expect(revertEdits(`<!-- new -->\n${once}`, edits)).toBe(`<!-- new -->\n${PAGE}`);
    expect(revertEdits(once.replace('data-ticket-url', 'data-other'), edits)).toBeNull();
  });
});

describe('an admin page', () => {
  it('gets one link to the reports, at its end', () => {
    const source = '<html><body><p>"</body>" in a text</p></body></html>';
    const result = applyEdits(source, adminEdits(source));
    expect(result).toMatch(/relay_reports\.php.*<\/a>\n<\/body><\/html>$/s);
    expect(adminEdits(result)).toEqual([]);
    expect(adminEdits('no page')).toEqual([]);
  });
});
