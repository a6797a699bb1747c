import type { Logger as Pino } from 'pino';

/** The part of pino that the gateway uses, so that tests can pass any object that logs. */
export type Logger = Pick<Pino, 'info' | 'warn' | 'error' | 'debug'>;
