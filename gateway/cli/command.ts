import { parseArgs } from 'node:util';
import { requireConfig } from '../../shared/config.ts';
import { RelayError } from '../../shared/errors.ts';
import { type GatewayConfig, gatewayConfigSchema } from '../config.ts';
import type { Logger } from '../lib/logger.ts';

/** What a command may touch of the process around it. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** UTC ms. */
  readonly now: () => number;
  /** Takes a line of the result. */
  readonly out: (text: string) => void;
  /** Takes a progress line. */
  readonly err: (text: string) => void;
}

export interface Command {
  readonly name: string;
  /** Its options, as they are typed. */
  readonly usage: string;
  readonly summary: string;
  /** Resolves with the exit status. Rejects with RelayError `option_invalid` for options that make no sense. */
  readonly run: (argv: readonly string[], context: CliContext) => Promise<number>;
}

type OptionTypes = Readonly<Record<string, 'string' | 'boolean'>>;
type Options<T extends OptionTypes> = { readonly [K in keyof T]?: T[K] extends 'string' ? string : boolean };

/** Reads `--name value` and `--flag`. Throws RelayError `option_invalid`. */
export function readOptions<const T extends OptionTypes>(argv: readonly string[], types: T): Options<T> {
  try {
    const options = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values as Options<T>;
  } catch (error) {
    throw new RelayError('option_invalid', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A whole number of an option. Throws RelayError `option_invalid`. */
export function wholeNumberOption(name: string, text: string | undefined, min: number, fallback?: number): number {
  if (text === undefined && fallback !== undefined) return fallback;
  const value = Number(text);
  if (text !== undefined && text !== '' && Number.isSafeInteger(value) && value >= min) return value;
  throw new RelayError('option_invalid', `--${name} needs a whole number from ${min}`);
}

/** The gateway's configuration as its own start would read it. Throws RelayError `config_invalid`. */
export function configOf(context: CliContext): GatewayConfig {
  return requireConfig<GatewayConfig>('gateway', gatewayConfigSchema, context.env);
}

/** Sends what the gateway's parts would log to the terminal. */
export function terminalLogger(context: CliContext): Logger {
  const say = (...args: unknown[]) => {
    const [fields, message] = typeof args[0] === 'string' ? [{}, args[0]] : args;
    const details = Object.entries((fields ?? {}) as Record<string, unknown>)
      .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' ');
    context.err([String(message ?? ''), details].filter((part) => part !== '').join('  '));
  };
  return { debug: () => {}, info: say, warn: say, error: say } as Logger;
}
