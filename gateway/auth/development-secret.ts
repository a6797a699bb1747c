import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from '../../shared/errors.ts';

const FILE = 'development.secret';

/**
 * The secret of a gateway that was given none, kept in the data folder so that sessions outlive a
 * restart. Rejects with RelayError `data_dir_unusable`.
 */
export async function developmentSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, FILE);
  try {
    await mkdir(dataDir, { recursive: true });
    await writeFile(path, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600 }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      },
    );
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new RelayError('data_dir_unusable', `cannot write to DATA_DIR (${dataDir})`, {
      hint: 'set DATA_DIR to a folder that this user may write to',
      cause,
    });
  }
}
