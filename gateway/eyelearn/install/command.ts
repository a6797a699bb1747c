import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { RelayError } from '../../../shared/errors.ts';
import { type Command, readOptions } from '../../cli/command.ts';
import { install, uninstall } from './install.ts';

/** Where replaced files of a platform folder are kept unless the operator says so: not in any web root. */
function defaultKeepIn(folder: string): string {
  const id = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  return join(homedir(), '.gaze-relay', `${basename(folder)}-${id}`);
}

/** Origin of the gateway, of the option or the environment; null without either. Throws RelayError `option_invalid`. */
function gatewayOrigin(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new RelayError(
      'option_invalid',
      '--gateway is the address of the gateway, such as https://gaze.school.example',
    );
  }
  return new URL(text).origin;
}

/** `eyelearn install` and `eyelearn uninstall`, run where the platform's sources are. */
export const eyelearnCommand: Command = {
  name: 'eyelearn',
  usage: 'install|uninstall --path FOLDER [--gateway URL] [--keep-in FOLDER] [--dry-run]',
  summary: "puts the gateway's client into EyeLearn's pages, or takes it out again",
  async run([action, ...argv], context) {
    const options = readOptions(argv, { path: 'string', gateway: 'string', 'keep-in': 'string', 'dry-run': 'boolean' });
    if (action !== 'install' && action !== 'uninstall') {
      throw new RelayError('option_invalid', 'say what to do: eyelearn install, or eyelearn uninstall');
    }
    if (options.path === undefined)
      throw new RelayError('option_invalid', "--path is the folder of EyeLearn's sources");
    const folder = await realpath(resolve(options.path)).catch((cause: unknown) => {
      throw new RelayError('option_invalid', `${options.path} is not there`, { cause });
    });
    const keepIn = resolve(options['keep-in'] ?? defaultKeepIn(folder));
    if (!relative(folder, keepIn).startsWith('..')) {
      throw new RelayError(
        'option_invalid',
        "--keep-in must be outside of the platform's folder: the web server would show the sources kept there",
      );
    }
    const gateway = gatewayOrigin(options.gateway ?? context.env.RELAY_GATEWAY_URL);
    const dryRun = options['dry-run'] === true;
    const shared = { folder, keepIn, dryRun, out: context.out };
    if (action === 'install') await install({ ...shared, gateway });
    else await uninstall(shared);
    return 0;
  },
};
