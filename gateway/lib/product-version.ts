import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Version of the package that this module belongs to; `unknown` where its package.json is not there. */
export function productVersion(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    try {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        readonly version?: string;
      };
      return version ?? 'unknown';
    } catch {
      if (folder === dirname(folder)) return 'unknown';
    }
  }
}
