import { type ParseArgsConfig, parseArgs } from 'node:util';
import { buildClient, buildServices } from '../../scripts/build.ts';

/** Options of every run that stands on the built product. */
const COMMON = {
  json: { type: 'boolean', default: false },
  'no-build': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Options = NonNullable<ParseArgsConfig['options']>;

type Values<T extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: T & typeof COMMON }>>['values'];

/** Reads the command line; null where `--help` was asked for, which prints `usage`. Throws TypeError for an unknown option. */
export function readOptions<const T extends Options>(argv: readonly string[], usage: string, own: T): Values<T> | null {
  const { values } = parseArgs({ args: [...argv], options: { ...own, ...COMMON } as Options });
  if (values.help !== true) return values as Values<T>;
  process.stdout.write(usage);
  return null;
}

/** Builds what the run stands on, unless it is to run what is in dist/ already. */
export async function buildUnless({ 'no-build': isBuilt }: { readonly 'no-build': boolean }): Promise<void> {
  if (!isBuilt) await Promise.all([buildClient(), buildServices()]);
}
