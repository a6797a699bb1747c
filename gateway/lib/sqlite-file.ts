import { mkdirSync } from 'node:fs';
import path from 'node:path';
import BlockingDatabase from 'libsql';
import Database from 'libsql/promise';
import { describeError, RelayError } from '../../shared/errors.ts';

/** Another process may hold a file for this long before a write fails. */
const BUSY_TIMEOUT_MS = 5000;

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

export function numberOrNull(row: unknown, column: string): number | null {
  const value = (row as Record<string, unknown>)[column];
  return value === null || value === undefined ? null : Number(value);
}

/** What went wrong with a file of the data folder, as RelayError `spool_failed`. */
export function fileError(file: string, action: string, cause: unknown): RelayError {
  return new RelayError('spool_failed', `cannot ${action} ${file}: ${describeError(cause)}`, {
    hint: 'check that the data folder is there, writable and not full',
    cause,
  });
}

/** Opens a file that is there as it is. Throws the driver's error. */
export function connect(file: string): Connection {
  return new Database(file, { timeout: BUSY_TIMEOUT_MS }) as unknown as Connection;
}

/** A connection that works on this thread, and that is closed when `close` returns: the other kind takes a moment more. */
export interface BlockingConnection {
  exec(sql: string): void;
  prepare(sql: string): BlockingStatement;
  close(): void;
}

export interface BlockingStatement {
  run(values: readonly (string | number)[]): unknown;
  all(values: readonly (string | number)[]): unknown[];
}

/** Opens a file that is there for statements on this thread. Throws the driver's error. */
export function connectBlocking(file: string): BlockingConnection {
  return new BlockingDatabase(file, { timeout: BUSY_TIMEOUT_MS }) as unknown as BlockingConnection;
}

/** Runs statements on this thread and commits them, all or none. Throws the driver's error. */
export function blockingTransaction(connection: BlockingConnection, work: () => void): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    work();
    connection.exec('COMMIT');
  } catch (error) {
    try {
      connection.exec('ROLLBACK');
    } catch {
      // The driver has rolled back already.
    }
    throw error;
  }
}

/** True for the name of a file that was set aside because it was damaged, and of its write-ahead log. */
export function isSetAside(name: string): boolean {
  return /\.damaged-\d{8}T\d{6}Z/.test(name);
}

/**
 * Opens a libsql file, making it and its folder if need be, and runs `setup` (pragmas and tables) in it. Throws RelayError
 * `spool_failed`.
 */
export async function openFile(file: string, setup: string): Promise<Connection> {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const connection = connect(file);
    await connection.exec('PRAGMA journal_mode = WAL;');
    await connection.exec(setup);
    return connection;
  } catch (error) {
    throw fileError(file, 'open', error);
  }
}
