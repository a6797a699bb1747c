import { RelayError } from '../../shared/errors.ts';
import type { MetricsStore } from '../store/port.ts';
import type { GatewayMetrics } from './metrics.ts';

/** The same store, its deliveries counted. */
export function observeDeliveries<T extends Pick<MetricsStore, 'applyWindows'>>(store: T, metrics: GatewayMetrics): T {
  return {
    ...store,
    applyWindows: async (...given: Parameters<MetricsStore['applyWindows']>) => {
      try {
        const result = await store.applyWindows(...given);
        metrics.delivered('stored', result.applied, result.repeated);
        return result;
      } catch (error) {
        const rejected = error instanceof RelayError && error.code === 'store_rejected';
        metrics.delivered(rejected ? 'rejected' : 'unreachable', 0, 0);
        throw error;
      }
    },
  };
}
