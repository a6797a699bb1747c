// Not under its own name: the bundle's banner declares that one.
import { createRequire as requireFrom } from 'node:module';
import { dirname, join } from 'node:path';
import { projectRoot } from './project-root.ts';

/** `require` of the project's folder: packages it loads stay out of the bundle, and may be missing. */
export function projectRequire(): NodeJS.Require {
  return requireFrom(join(projectRoot(), 'package.json'));
}

/** Folder of an npm package; null when it is not installed. */
export function packageFolder(name: string): string | null {
  try {
    return dirname(projectRequire().resolve(`${name}/package.json`));
  } catch {
    return null;
  }
}
