import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { RelayError } from '../../../shared/errors.ts';
import { applyEdits, diffLines, revertEdits } from './edits.ts';
import { planInstallation } from './platform-tree.ts';

const PAGES = ['relay_common.php', 'relay_ticket.php', 'relay_reports.php'] as const;
const GATEWAY_PAGE = 'relay_gateway.php';
const MANIFEST = 'installed.json';

const manifestSchema = z.object({
  /** Changed files, by their path: the replacements, oldest installation first. */
  changed: z.record(z.string(), z.array(z.object({ from: z.string(), to: z.string() }))),
  /** Files that were not there before, by their path: their SHA-256. */
  added: z.record(z.string(), z.string()),
});

type Manifest = z.infer<typeof manifestSchema>;

export interface InstallOptions {
  /** The platform's sources. */
  readonly folder: string;
  /** Where what is replaced is kept, outside of the web root: PHP would not run a copy there, but show it. */
  readonly keepIn: string;
  /** Origin of the gateway; null: PHP reads RELAY_GATEWAY_URL at run time. */
  readonly gateway: string | null;
  /** Shows what would be done and changes nothing. */
  readonly dryRun: boolean;
  /** Takes a line of what is done. */
  readonly out: (line: string) => void;
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

/** The folder of the PHP pages: beside the bundle, or in the sources. */
function pagesFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = ['../pages', '../php', '../../php'].map((path) => join(here, path));
  const found = candidates.find((path) => existsSync(join(path, PAGES[0])));
  if (found === undefined)
    throw new RelayError('pages_missing', 'the PHP pages are not beside the command', { hint: 'run `npm run build`' });
  return found;
}

/** Replaces a file in one step: a page that is asked for meanwhile is the old one or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.gaze-relay-new`;
  try {
    await writeFile(temporary, text, 'latin1');
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new RelayError('platform_not_writable', `${path} cannot be written`, {
      hint: 'run this as a user who may write there',
      cause,
    });
  }
}

async function readManifest(keepIn: string): Promise<Manifest> {
  const path = join(keepIn, MANIFEST);
  if (!existsSync(path)) return { changed: {}, added: {} };
  const parsed = manifestSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new RelayError('manifest_invalid', `${path} cannot be understood`, {
    hint: 'restore the originals beside it by hand',
  });
}

async function writeManifest(keepIn: string, manifest: Manifest): Promise<void> {
  await mkdir(keepIn, { recursive: true, mode: 0o700 });
  await replaceFile(join(keepIn, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Puts the gateway's client into the platform's pages and the PHP pages beside them. Repeatable: what is there already
 * stays. Rejects with RelayError `platform_unknown`, `platform_unreadable`, `platform_not_writable`, `file_in_the_way`.
 */
export async function install(options: InstallOptions): Promise<void> {
  const { folder, keepIn, gateway, dryRun, out } = options;
  const plan = await planInstallation(folder, gateway);
  const manifest = await readManifest(keepIn);
  out(`EyeLearn, version ${plan.lineage}`);

  const pages: [string, string][] = [];
  for (const name of PAGES) pages.push([name, await readFile(join(pagesFolder(), name), 'latin1')]);
  if (gateway !== null) pages.push([GATEWAY_PAGE, `<?php return '${gateway}';\n`]);
  for (const [name] of pages) {
    const path = `user/${name}`;
    if (existsSync(join(folder, path)) && manifest.added[path] === undefined) {
      throw new RelayError('file_in_the_way', `${path} is there already and was not installed by this command`, {
        hint: 'move it away, then install again',
      });
    }
  }
  for (const [name, text] of pages) {
    const path = `user/${name}`;
    const target = join(folder, path);
    const present = existsSync(target) ? await readFile(target, 'latin1') : null;
    if (present === text) continue;
    if (present !== null && sha256(present) !== manifest.added[path]) {
      out(`kept: ${path} was changed by hand`);
      continue;
    }
    out(`${present === null ? 'add' : 'update'}: ${path}`);
    if (dryRun) continue;
    manifest.added[path] = sha256(text);
    await writeManifest(keepIn, manifest);
    await replaceFile(target, text);
  }

  for (const { path, source, edits } of plan.files) {
    out(`--- ${path}`);
    for (const line of diffLines(source, edits)) out(line);
    if (dryRun) continue;
    const kept = join(keepIn, 'originals', path);
    if (!existsSync(kept)) {
      await mkdir(dirname(kept), { recursive: true });
      await writeFile(kept, source, 'latin1');
    }
    const before = manifest.changed[path] ?? [];
    // An installed tag that is replaced by another one goes back to what stood there first.
    const replaced = edits.map(({ from, to }) => ({ from: before.find((edit) => edit.to === from)?.from ?? from, to }));
    const others = before.filter(({ to }) => !edits.some(({ from }) => from === to));
    const text = applyEdits(source, edits);
    manifest.changed[path] = [...others, ...replaced].sort((a, b) => text.indexOf(a.to) - text.indexOf(b.to));
    await writeManifest(keepIn, manifest);
    await replaceFile(join(folder, path), text);
  }
  for (const note of plan.notes) out(`note: ${note}`);
  if (plan.files.length === 0) out('the pages have what they need already');
  if (gateway === null) out('note: PHP must know the gateway: set RELAY_GATEWAY_URL for it, or install with --gateway');
  if (!dryRun) out(`what was replaced is kept in ${keepIn}`);
}

/** Takes an installation back. Rejects with RelayError `not_installed`; names each place that was changed since. */
export async function uninstall({ folder, keepIn, dryRun, out }: Omit<InstallOptions, 'gateway'>): Promise<void> {
  const manifest = await readManifest(keepIn);
  const paths = [...Object.keys(manifest.changed), ...Object.keys(manifest.added)];
  if (paths.length === 0) {
    throw new RelayError('not_installed', `nothing is noted in ${keepIn}`, {
      hint: 'name the folder of the installation with --keep-in',
    });
  }
  for (const [path, edits] of Object.entries(manifest.changed)) {
    const target = join(folder, path);
    const text = existsSync(target) ? revertEdits(await readFile(target, 'latin1'), edits) : null;
    if (text === null) {
      out(`left: ${path} was changed since; its original is ${join(keepIn, 'originals', path)}`);
      continue;
    }
    out(`restore: ${path}`);
    if (!dryRun) await replaceFile(target, text);
  }
  for (const [path, hash] of Object.entries(manifest.added)) {
    const target = join(folder, path);
    if (!existsSync(target)) continue;
    if (sha256(await readFile(target, 'latin1')) !== hash) {
      out(`left: ${path} was changed by hand`);
      continue;
    }
    out(`remove: ${path}`);
    if (!dryRun) await rm(target);
  }
  if (!dryRun) await rm(join(keepIn, MANIFEST));
}
