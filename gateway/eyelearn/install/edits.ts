/** One replacement in a file of the platform. Texts are latin1, so that bytes outside the edits stay as they are. */
export interface Edit {
  /** What stands in the file now. */
  readonly from: string;
  readonly to: string;
  /** Where `from` begins, characters. */
  readonly offset: number;
}

/** A PHP block inside of HTML. Attributes of the platform's tags have some, with `>` in them. */
const PHP = '<\\?(?:php|=)[\\s\\S]*?\\?>';
const SCRIPT_TAG = new RegExp(
  `<script\\b(?:${PHP}|[^>])*?\\bsrc\\s*=\\s*(["'])((?:${PHP}|(?!\\1)[\\s\\S])*?)\\1(?:${PHP}|[^>])*>\\s*</script>`,
  'gi',
);
const SECOND_TRACKER = /\b(?:include|require)(?:_once)?\b[^;*]*eye-tracking-init\.php[^;*]*;/g;
/** Scripts of the platform that the gateway has a successor for, by file name. */
const OLD_SCRIPTS = ['webcam-websocket.js', 'cv-eye-tracking.js', 'cv-eye-tracking-client.js'] as const;

export type OldScript = (typeof OLD_SCRIPTS)[number];

/** A script tag of a tracker: the platform's own, or one that was installed. */
export interface TrackerTag {
  readonly script: OldScript;
  readonly text: string;
  readonly offset: number;
  readonly isOurs: boolean;
}

/** The tags that load a tracker, in their order in the file. */
export function trackerTags(source: string): TrackerTag[] {
  return [...source.matchAll(SCRIPT_TAG)].flatMap((match) => {
    const address = (match[2] ?? '').replace(new RegExp(PHP, 'g'), '').split(/[?#]/, 1)[0] ?? '';
    const name = address.slice(address.lastIndexOf('/') + 1);
    const script = OLD_SCRIPTS.find((known) => known === name);
    if (script === undefined) return [];
    return [{ script, text: match[0], offset: match.index, isOurs: match[0].includes('data-ticket-url') }];
  });
}

/**
 * The tag that replaces the platform's. Module and section come from the page's own variables where it has them; a
 * page that has none, such as the list of modules, leaves them empty and nothing is tracked there.
 * @param gateway Origin of the gateway; null: PHP finds it at run time (RELAY_GATEWAY_URL).
 */
export function gatewayTag(script: OldScript, gateway: string | null): string {
  const origin =
    gateway ??
    "<?php @include_once __DIR__ . '/relay_common.php'; if (function_exists('relay_gateway_url')) echo htmlspecialchars(relay_gateway_url()); ?>";
  const id = (variable: string) => `<?php echo htmlspecialchars((string) ($${variable} ?? '')); ?>`;
  return [
    `<script src="${origin}/js/${script}" data-ticket-url="relay_ticket.php"`,
    `data-module-id="${id('selected_module_id')}" data-section-id="${id('selected_section_id')}"></script>`,
  ].join(' ');
}

/** What a lesson page needs: the gateway's tag in place of each tracker's, and no second tracker beside it. */
export function lessonEdits(source: string, gateway: string | null): Edit[] {
  const tags = trackerTags(source).map(({ script, text, offset }) => ({
    from: text,
    to: gatewayTag(script, gateway),
    offset,
  }));
  // Inside PHP, where the statement stands: an HTML comment would not stop it from running.
  const second = [...source.matchAll(SECOND_TRACKER)]
    .filter(({ index }) => source.slice(0, index).endsWith('/* gaze-relay: ') === false)
    .map(({ 0: text, index }) => ({ from: text, to: `/* gaze-relay: ${text} */`, offset: index }));
  return [...tags, ...second].filter(({ from, to }) => from !== to).sort((a, b) => a.offset - b.offset);
}

const ADMIN_LINK =
  '<a href="../user/relay_reports.php" data-gaze-relay style="position:fixed;right:16px;bottom:16px;z-index:20;padding:8px 14px;border-radius:8px;background:#1d4ed8;color:#fff;font:600 14px system-ui;text-decoration:none">Focus reports</a>\n';

/** A link to the reports at the end of an admin page, once. */
export function adminEdits(source: string): Edit[] {
  const offset = source.toLowerCase().lastIndexOf('</body>');
  if (offset < 0 || source.includes('relay_reports.php')) return [];
  const from = source.slice(offset, offset + '</body>'.length);
  return [{ from, to: `${ADMIN_LINK}${from}`, offset }];
}

/** The text with the edits made. */
export function applyEdits(source: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { from, to, offset } of edits) {
    result += source.slice(at, offset) + to;
    at = offset + from.length;
  }
  return result + source.slice(at);
}

/**
 * The text with the edits taken back, also where other parts of the file were changed since. Null where an edited
 * place is not there any more.
 */
export function revertEdits(source: string, edits: readonly Pick<Edit, 'from' | 'to'>[]): string | null {
  let result = source;
  let at = 0;
  for (const { from, to } of edits) {
    const offset = result.indexOf(to, at);
    if (offset < 0) return null;
    result = result.slice(0, offset) + from + result.slice(offset + to.length);
    at = offset + from.length;
  }
  return result;
}

/** The edits as lines of a diff, with the line each begins at. */
export function diffLines(source: string, edits: readonly Edit[]): string[] {
  return edits.flatMap(({ from, to, offset }) => [
    `@@ line ${source.slice(0, offset).split('\n').length} @@`,
    ...from.split('\n').map((line) => `-${line}`),
    ...to.split('\n').map((line) => `+${line}`),
  ]);
}
