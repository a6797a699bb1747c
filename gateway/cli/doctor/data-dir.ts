import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeError } from '../../../shared/errors.ts';
import type { GatewayConfig } from '../../config.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, fault } = findingsOf('data');
const PROBE_BYTES = 64 * 1024;

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MB`;
}

/** Writes a file to DATA_DIR as the spool does, down to the disk, and looks for room. */
export async function examineDataDir(
  { dataDir }: Pick<GatewayConfig, 'dataDir'>,
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
        'make room or enlarge the volume: what students do while the database is away waits here',
      ),
    ];
  }
  return [ok(`DATA_DIR (${path}) takes data and has ${megabytes(free)} left`)];
}
