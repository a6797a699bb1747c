import type { Logger } from '../../gateway/lib/logger.ts';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps its lines, for tests of what an operator would have seen. */
export function captureLog(): { readonly logger: Logger; readonly entries: readonly LogEntry[]; codes(): unknown[] } {
  const entries: LogEntry[] = [];
  const at = (level: LogEntry['level']) => (fields: unknown, message?: string) => {
    entries.push(
      typeof fields === 'string'
        ? { level, fields: {}, message: fields }
        : { level, fields: fields as LogEntry['fields'], message: message ?? '' },
    );
  };
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as Logger;
  return { logger, entries, codes: () => entries.flatMap(({ fields }) => ('code' in fields ? [fields.code] : [])) };
}
