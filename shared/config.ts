import * as z from 'zod';
import { RelayError } from './errors.ts';

/** What README's table and .env.example say of a variable. Given to a schema by `.meta()`. */
export interface VariableMeta {
  readonly description: string;
  /** A value that would be taken, for .env.example. */
  readonly example: string;
  /** Never printed, not even in part. */
  readonly secret?: boolean;
  /** What stands for the default where the schema has none, or one of this machine. */
  readonly defaultText?: string;
}

/** A variable of a service as its schema has it. */
export interface Variable extends VariableMeta {
  readonly name: string;
  /** Text of the default; null when there is none. */
  readonly default: string | null;
}

/** The variables of a schema, in its order. Throws when one says nothing of itself. */
export function variablesOf(schema: z.ZodObject): Variable[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const meta = (field as z.ZodType).meta() as VariableMeta | undefined;
    if (meta === undefined) throw new Error(`${name} has no description`);
    const value: unknown = field instanceof z.ZodDefault ? field.def.defaultValue : undefined;
    const text = Array.isArray(value) ? value.join(',') : String(value);
    return { ...meta, name, default: meta.defaultText ?? (value === undefined ? null : text) };
  });
}

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
function describeFaults(service: string, faults: readonly string[]): string {
  return [
    `${service} cannot start, ${faults.length} fault${faults.length === 1 ? '' : 's'} in its environment:`,
    ...faults.map((fault) => `  - ${fault}`),
    'Correct the variables named above (README, "Configuration") and start again.',
  ].join('\n');
}

/** The configuration of a service. Throws RelayError `config_invalid`, whose message lists every fault. */
export function requireConfig<T>(
  service: string,
  schema: z.ZodType<T>,
  env: Readonly<Record<string, string | undefined>>,
): T {
  const result = readConfig(schema, env);
  if (result.ok) return result.config;
  throw new RelayError('config_invalid', describeFaults(service, result.faults));
}

/** A whole number given as text, within bounds. */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(message).int(message).min(min, message).max(max, message);
}

/** One of these words. */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, `must be one of ${values.join(', ')}`);
}

/** INFERENCE_SECRET of both services. */
export const linkSecret = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/, 'must have at least 16 characters, no spaces (openssl rand -hex 32)')
  .optional();

/** A variable's schema with what the documents say of it. */
export function variable<T extends z.ZodType>(schema: T, meta: VariableMeta): T {
  return schema.meta({ ...meta });
}
