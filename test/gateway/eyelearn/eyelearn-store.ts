import { Catalog } from '../../../gateway/eyelearn/catalog.ts';
import { eyelearnStoreHooks } from '../../../gateway/eyelearn/store-hooks.ts';
import { createMysqlStore, type MysqlStoreOptions } from '../../../gateway/store/mysql/store.ts';
import type { MetricsStore } from '../../../gateway/store/port.ts';

/** A MySQL store that feeds EyeLearn's tables in the same database. */
export function createEyelearnStore(options: Omit<MysqlStoreOptions, 'hooks'>): MetricsStore {
  return createMysqlStore({ ...options, hooks: eyelearnStoreHooks(new Catalog(), options.logger) });
}
