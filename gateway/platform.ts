import type { OpenSecondWay } from './delivery/second-way.ts';
import { NO_PLATFORM_RECORDS, type PlatformRecords } from './privacy/platform-records.ts';
import type { LoadStoreHooks } from './store/open.ts';
import type { MetricsStore } from './store/port.ts';

/**
 * The school's platform as the gateway knows it: what each part of the gateway asks of it, behind that part's own port. The
 * store is handed over with each question, because the platform has a say in opening it.
 */
export interface Platform {
  /** What the platform does with the store's database; null: nothing. */
  readonly loadStoreHooks: LoadStoreHooks | null;
  /** A second way for students' time to the platform; null: there is none. */
  openSecondWay(store: Pick<MetricsStore, 'kind' | 'execute' | 'ready'>): OpenSecondWay | null;
  /**
   * True or false where the platform says whether the student has agreed to the camera, null where it does not.
   * Rejects with `store_unreachable`.
   */
  hasConsent(store: Pick<MetricsStore, 'kind' | 'execute' | 'ready'>, userId: number): Promise<boolean | null>;
  readonly records: PlatformRecords;
}

/** A gateway by itself. */
export const NO_PLATFORM: Platform = {
  loadStoreHooks: null,
  openSecondWay: () => null,
  hasConsent: async () => null,
  records: NO_PLATFORM_RECORDS,
};
