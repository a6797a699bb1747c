import { setTimeout as delay } from 'node:timers/promises';
import { describeError, RelayError } from '../../shared/errors.ts';
import { loadStore } from '../store/open.ts';
import { type Command, configOf, readOptions, terminalLogger, wholeNumberOption } from './command.ts';
import { platformOf } from './platform.ts';

const RETRY_MS = 1000;
const DEFAULT_WAIT_S = 60;

/**
 * Brings the store's schema up to date, once, before a release starts. A database that does not answer
 * yet is waited for: in a new project it may start after this.
 */
export const migrate: Command = {
  name: 'migrate',
  usage: '[--wait-s SECONDS]',
  summary: `brings the database's tables and views up to date; waits ${DEFAULT_WAIT_S} s for it to answer`,
  async run(argv, context) {
    const options = readOptions(argv, { 'wait-s': 'string' });
    const waitMs = wholeNumberOption('wait-s', options['wait-s'], 0, DEFAULT_WAIT_S) * 1000;
    const config = configOf(context);
    const logger = terminalLogger(context);
    const store = await loadStore(config, logger, platformOf(config, logger).loadStoreHooks);
    const deadlineMs = context.now() + waitMs;
    let said = '';
    try {
      for (;;) {
        try {
          await store.migrate();
          break;
        } catch (error) {
          const mayPass = error instanceof RelayError && error.code === 'store_unreachable' && store.kind === 'mysql';
          if (!mayPass || context.now() + RETRY_MS > deadlineMs) throw error;
          const reason = describeError(error);
          if (reason !== said) context.err(`waiting up to ${waitMs / 1000} s: ${reason}`);
          said = reason;
          await delay(RETRY_MS);
        }
      }
    } finally {
      await store.close();
    }
    context.out(`ok: the ${store.kind} store is up to date`);
    return 0;
  },
};
