import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeError } from '../../../shared/errors.ts';
import type { GatewayConfig } from '../../config.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, warning, fault } = findingsOf('data');
const PROBE_BYTES = 64 * 1024;

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MB`;
}

/** Files that a gateway has set aside because they were damaged, and those that are damaged now. */
async function examineFiles(path: string): Promise<Finding[]> {
  const { damagedLogFrames, isSound } = await import('../../lib/damaged-file.ts');
  const { isSetAside } = await import('../../lib/sqlite-file.ts');
  const findings: Finding[] = [];
  const names = await readdir(path);
  const aside = names.filter(isSetAside);
  if (aside.length > 0) {
    findings.push(
      warning(
        'file_damaged',
        `damaged files were set aside in DATA_DIR (${path}): ${aside.join(', ')}`,
        'examine the disk; the log says what was saved. Delete them when you need them no more, retention does it too',
      ),
    );
  }
  for (const name of names.filter((name) => name.endsWith('.db'))) {
    const file = join(path, name);
    // The log comes first: to open the file shortens it.
    const isWhole = await damagedLogFrames(file).then(
      (frames) => frames === 0 && isSound(file),
      (error: unknown) => describeError(error),
    );
    if (isWhole === true) continue;
    findings.push(
      fault(
        'file_damaged',
        `${file} ${isWhole === false ? 'is damaged' : `cannot be examined: ${isWhole}`}`,
        'examine the disk and restart the gateway: it sets damaged files aside and saves what can be read; of gaze-relay.db, the embedded store, restore a backup where too much is lost',
      ),
    );
  }
  return findings;
}

/**
 * Windows in this gateway's file that it had handed over to NATS, where it has no NATS_URL any more. What other gateways have left
 * there cannot be counted without it.
 */
async function examineHandedOver(path: string): Promise<Finding[]> {
  const file = join(path, 'spool.db');
  if (!existsSync(file)) return [];
  const { connect, numberOf } = await import('../../lib/sqlite-file.ts');
  const connection = connect(file);
  try {
    const columns = await (await connection.prepare('PRAGMA table_info(spool_windows)')).all([]);
    if (!columns.some((column) => (column as { readonly name?: unknown }).name === 'published_seq')) return [];
    const counting = await connection.prepare(
      "SELECT COUNT(*) AS n FROM spool_windows WHERE status = 'waiting' AND published_seq IS NOT NULL",
    );
    const n = numberOf((await counting.all([]))[0], 'n');
    if (n === 0) return [];
    return [
      warning(
        'nats_windows_left',
        `${n} windows in DATA_DIR are in NATS too, and NATS_URL is not set: those of other gateways may wait there, and cannot be counted without it`,
        'set NATS_URL again until doctor finds no window in NATS, then remove it',
      ),
    ];
  } finally {
    connection.close();
  }
}

/** Writes a file to DATA_DIR as the spool does, down to the disk, looks for room and for damaged files. */
export async function examineDataDir(
  { dataDir, nats }: Pick<GatewayConfig, 'dataDir' | 'nats'>,
  spoolBytes: number,
): Promise<Finding[]> {
  const path = resolve(dataDir);
  const probe = join(path, `.doctor-${randomUUID()}`);
  try {
    await mkdir(path, { recursive: true });
    const file = await open(probe, 'wx');
    try {
      await file.write(Buffer.alloc(PROBE_BYTES, 1));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    return [
      fault(
        'data_dir_unusable',
        `DATA_DIR (${path}) cannot be written: ${describeError(error)}`,
        'set DATA_DIR to a folder, in production a volume, that the gateway may write to',
      ),
    ];
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  if (free < spoolBytes) {
    return [
      fault(
        'disk_full',
        `DATA_DIR (${path}) has ${megabytes(free)} left, the spool should find ${megabytes(spoolBytes)}`,
        "make room or enlarge the volume: students' windows wait here while the database is unavailable",
      ),
    ];
  }
  const damaged = await examineFiles(path);
  if (damaged.length > 0) return damaged;
  const left = nats === null ? await examineHandedOver(path) : [];
  return [ok(`DATA_DIR (${path}) takes data and has ${megabytes(free)} left`), ...left];
}
