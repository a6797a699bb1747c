import type { Logger } from '../lib/logger.ts';
import type { Platform } from '../platform.ts';
import { Catalog } from './catalog.ts';
import { eyelearnRecords } from './deletion.ts';
import type { AfterPost, PhpFallbackOptions, ReadDay } from './php/fallback.ts';
import { readEyelearnDay } from './stored-day.ts';

/**
 * EyeLearn, in the store's own database as far as its tables are there, and behind its PHP endpoint where one is configured.
 * All parts share one catalog of its tables.
 */
export function eyelearn({ php }: { readonly php: PhpFallbackOptions | null }, logger: Logger): Platform {
  const catalog = new Catalog();
  return {
    async loadStoreHooks() {
      const { eyelearnStoreHooks } = await import('./store-hooks.ts');
      return eyelearnStoreHooks(catalog, logger, { isWrittenByPhp: php?.use === 'always' });
    },
    openSecondWay(store) {
      if (php === null) return null;
      const readDay: ReadDay = async (userId, moduleId, atMs) => {
        await store.ready();
        const table = catalog.tables.get('eye_tracking_sessions');
        return table === undefined ? null : readEyelearnDay(store, table, userId, moduleId, atMs);
      };
      const afterPost: AfterPost = async (place) => {
        await store.ready();
        const { completePhpRows } = await import('./php/events.ts');
        await completePhpRows(store, catalog.tables, place);
      };
      return async (queue) => {
        const { openPhpFallback } = await import('./php/fallback.ts');
        if (store.kind !== 'mysql') return openPhpFallback(queue, php, null);
        return openPhpFallback(queue, php, readDay, afterPost);
      };
    },
    async hasConsent(store, userId) {
      if (store.kind !== 'mysql') return null;
      await store.ready();
      if (!catalog.has('users', 'id', 'camera_agreement_accepted')) return null;
      const [found] = await store.execute([
        { sql: 'SELECT camera_agreement_accepted AS accepted FROM users WHERE id = ?', values: [userId] },
      ]);
      const [row] = found?.rows ?? [];
      return row === undefined ? null : Number(row.accepted) === 1;
    },
    records: eyelearnRecords(catalog, { isWrittenByPhp: php?.use === 'always' }),
  };
}
