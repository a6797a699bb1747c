import type { z } from 'zod';

export type ConfigResult<T> =
  | { readonly ok: true; readonly config: T }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Reads a configuration from environment variables. Empty strings count as not set, because
 * deployment panels write them for cleared fields. On failure every fault is listed at once, one
 * sentence per variable; values are not repeated, since some are secrets.
 */
export function readConfig<T>(
  schema: z.ZodType<T>,
  env: Readonly<Record<string, string | undefined>>,
): ConfigResult<T> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return { ok: true, config: result.data };
  return {
    ok: false,
    faults: result.error.issues.map((issue) => `${issue.path.join('.') || 'configuration'}: ${issue.message}`),
  };
}

/** The faults as one text for the terminal, ending with what to do. */
export function describeFaults(service: string, faults: readonly string[]): string {
  return [
    `config_invalid: ${service} cannot start, ${faults.length} fault${faults.length === 1 ? '' : 's'} in its environment:`,
    ...faults.map((fault) => `  - ${fault}`),
    'Correct the variables named above (README, "Configuration") and start again.',
  ].join('\n');
}
