import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../../../gateway/cli/commands.ts';

const GATEWAY = 'https://gaze.school.example';
const LESSON_TAGS = {
  A: '<script src="js/webcam-websocket.js?v=2"></script>',
  'B or D': '<script src="js/cv-eye-tracking.js?enhanced_<?php echo time(); ?>"></script>',
  C: '<script src="js/cv-eye-tracking-client.js?<?php echo time(); ?>"></script>',
} as const;

let root: string;
let folder: string;
let keepIn: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'relay-install-'));
  folder = join(root, 'eyelearn');
  keepIn = join(root, 'kept');
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** A tree that looks like one of the platform's. */
async function plant(tag: string): Promise<void> {
  const files = {
    'user/Smodulepart.php': `<?php session_start(); ?><html><head>${tag}</head><body>\r\n<?php include 'includes/eye-tracking-init.php'; ?>\r\n</body></html>`,
    'user/Smodule.php': '<html><script src="js/cv-eye-tracking.js?<?php echo time(); ?>"></script></html>',
    'user/Smodulepart copy.php': `<html>${tag}</html>`,
    'user/Sdashboard.php': '<html></html>',
    'user/js/webcam-websocket.js': 'class WebcamWebSocket {}',
    'admin/Adashboard.php': '<html><body>caf\xe9</body></html>',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, 'latin1');
  }
}

async function cli(...argv: string[]): Promise<{ status: number; out: string }> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const status = await runCli(['eyelearn', ...argv], { env: {}, now: Date.now, out: say, err: say });
  return { status, out: lines.join('\n') };
}

/** All files below a folder with what is in them. */
async function snapshot(of: string): Promise<Record<string, string>> {
  const entries = await readdir(of, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files.map(async (path) => [path.slice(of.length + 1), await readFile(path, 'latin1')] as const);
  return Object.fromEntries((await Promise.all(pairs)).sort());
}

const install = (...more: string[]) =>
  cli('install', '--path', folder, '--gateway', GATEWAY, '--keep-in', keepIn, ...more);
const uninstall = () => cli('uninstall', '--path', folder, '--keep-in', keepIn);

describe.each(Object.entries(LESSON_TAGS))('lineage %s', (lineage, tag) => {
  beforeEach(() => plant(tag));

  it('is recognised, installed, installed again without a change, and taken back to the byte', async () => {
    const before = await snapshot(folder);
    const { status, out } = await install();
    expect(status, out).toBe(0);
    expect(out).toContain(`version ${lineage}`);
    const after = await snapshot(folder);
    expect(after['user/Smodulepart.php']).toContain(`<script src="${GATEWAY}/js/`);
    expect(after['user/Smodulepart.php']).toContain('/* gaze-relay: include');
    expect(after['user/Smodule.php']).toContain(`${GATEWAY}/js/cv-eye-tracking.js`);
    expect(after['user/Smodulepart copy.php']).toBe(before['user/Smodulepart copy.php']);
    expect(after['admin/Adashboard.php']).toContain('relay_reports.php');
    expect(Object.keys(after).filter((path) => before[path] === undefined)).toEqual([
      'user/relay_common.php',
      'user/relay_gateway.php',
      'user/relay_reports.php',
      'user/relay_ticket.php',
    ]);

    expect((await install()).out).toContain('the pages have what they need already');
    expect(await snapshot(folder)).toEqual(after);

    expect((await uninstall()).status).toBe(0);
    expect(await snapshot(folder)).toEqual(before);
    expect((await uninstall()).out).toContain('not_installed');
  });

  it('--dry-run shows the diff and changes nothing', async () => {
    const before = await snapshot(root);
    const { out } = await install('--dry-run');
    expect(out).toContain(`-${tag}`);
    expect(out).toMatch(/^\+<script src="https:\/\/gaze\.school\.example\/js\//m);
    expect(await snapshot(root)).toEqual(before);
  });
});

describe('an installation', () => {
  beforeEach(() => plant(LESSON_TAGS.A));

  it('moves to another gateway, and is taken back to what stood there first', async () => {
    const before = await snapshot(folder);
    await install();
    await cli('install', '--path', folder, '--gateway', 'https://other.example', '--keep-in', keepIn);
    const moved = await snapshot(folder);
    expect(moved['user/Smodulepart.php']).toContain('https://other.example/js/webcam-websocket.js');
    expect(moved['user/relay_gateway.php']).toContain('https://other.example');
    await uninstall();
    expect(await snapshot(folder)).toEqual(before);
  });

  it('leaves what people changed since, and says where the original is', async () => {
    await install();
    await writeFile(join(folder, 'user/Smodule.php'), 'new', 'latin1');
    await writeFile(join(folder, 'user/relay_ticket.php'), '<?php // ours now', 'latin1');
    expect((await install()).out).toContain('kept: user/relay_ticket.php');
    const { out } = await uninstall();
    expect(out).toContain(`left: user/Smodule.php was changed since; its original is ${join(keepIn, 'originals')}`);
    expect(out).toContain('left: user/relay_ticket.php');
    expect(await readFile(join(folder, 'user/Smodulepart.php'), 'latin1')).toContain(LESSON_TAGS.A);
  });

  it("without a gateway the address is PHP's to find, and that is said", async () => {
    const { out } = await cli('install', '--path', folder, '--keep-in', keepIn);
    expect(out).toContain('RELAY_GATEWAY_URL');
    expect(await readFile(join(folder, 'user/Smodulepart.php'), 'latin1')).toContain('relay_gateway_url()');
  });
});

describe('refused, with nothing changed', () => {
  it('a folder that is no EyeLearn: the lines to change by hand', async () => {
    await mkdir(join(folder, 'user'), { recursive: true });
    await writeFile(join(folder, 'user/Smodulepart.php'), '<html></html>');
    const before = await snapshot(root);
    const { status, out } = await install();
    expect(status).toBe(1);
    expect(out).toContain('platform_unknown');
    expect(out).toContain(`<script src="${GATEWAY}/js/webcam-websocket.js" data-ticket-url="relay_ticket.php"`);
    expect(await snapshot(root)).toEqual(before);
  });

  it('a page of that name which is not ours', async () => {
    await plant(LESSON_TAGS.C);
    await writeFile(join(folder, 'user/relay_common.php'), '<?php // theirs');
    const before = await snapshot(folder);
    expect((await install()).out).toContain('file_in_the_way');
    expect(await snapshot(folder)).toEqual(before);
  });

  it.each([
    [['install'], '--path'],
    [['remove', '--path', '.'], 'eyelearn install'],
    [['install', '--path', '/nowhere/at/all'], 'is not there'],
    [['install', '--path', '.', '--gateway', 'gaze.school'], '--gateway'],
  ])('%j', async (argv, expected) => {
    const { status, out } = await cli(...argv);
    expect(status).toBe(2);
    expect(out).toContain(expected);
  });

  it('originals kept where the web server would show them', async () => {
    await plant(LESSON_TAGS.A);
    await cp(folder, join(root, 'copy'), { recursive: true });
    const { status, out } = await cli('install', '--path', folder, '--keep-in', join(folder, 'kept'));
    expect(status).toBe(2);
    expect(out).toContain('--keep-in');
  });
});
