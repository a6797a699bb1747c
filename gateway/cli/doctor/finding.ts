import type { Connection } from 'mysql2/promise';
import type { GatewayConfig } from '../../config.ts';

/** `ok` and `note` need nothing done; a `warning` works but not as it could; a `fault` must be mended. */
export type Level = 'ok' | 'note' | 'warning' | 'fault';

/** One thing that the doctor has tried. */
export interface Finding {
  /** What was examined: `secret`, `mysql`, … */
  readonly check: string;
  readonly level: Level;
  /** Stable and machine-readable. */
  readonly code: string;
  readonly message: string;
  /** What to do about it; null when there is nothing to do. */
  readonly mend: string | null;
}

/** What the doctor examines of the school's platform. Rejections become findings. */
export interface PlatformChecks {
  /** The platform's tables in the store's database. */
  examineTables(connection: Connection): Promise<Finding[]>;
  /** The platform's own endpoint. */
  examineEndpoint(config: GatewayConfig): Promise<Finding[]>;
}

/** Makes findings of one check. */
export function findingsOf(check: string) {
  const make = (level: Level) => (code: string, message: string, mend: string | null) =>
    ({ check, level, code, message, mend }) satisfies Finding;
  return {
    ok: (message: string) => make('ok')('ok', message, null),
    note: (code: string, message: string) => make('note')(code, message, null),
    warning: make('warning') as (code: string, message: string, mend: string) => Finding,
    fault: make('fault') as (code: string, message: string, mend: string) => Finding,
  };
}
