/** The part of libsql's connection that is used; its own types say `any`. */
export interface Connection {
  /** Runs off this thread: commits, which wait for the disk, go through it. */
  exec(sql: string): Promise<void>;
  prepare(sql: string): Promise<Statement>;
  close(): void;
}

export interface Statement {
  /** Runs on this thread: within a transaction it writes to memory alone. */
  run(values: readonly (string | number)[]): unknown;
  all(values: readonly (string | number)[]): Promise<unknown[]>;
}

/** Runs statements that write to memory and commits them off this thread, all or none. */
export async function transaction(connection: Connection, work: () => void): Promise<void> {
  await connection.exec('BEGIN IMMEDIATE');
  try {
    work();
    await connection.exec('COMMIT');
  } catch (error) {
    await connection.exec('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

export function textOf(row: unknown, column: string): string {
  return String((row as Record<string, unknown>)[column]);
}

export function numberOf(row: unknown, column: string): number {
  return Number((row as Record<string, unknown>)[column]);
}
