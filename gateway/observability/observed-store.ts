import { RelayError } from '../../shared/errors.ts';
import type { Lazy } from '../lib/lazy.ts';
import type { MetricsStore } from '../store/port.ts';
import type { GatewayMetrics } from './metrics.ts';

/** The part of a store that the delivery queue uses, its deliveries counted. The first of them opens the store. */
export function observeDeliveries(
  store: Pick<Lazy<MetricsStore>, 'open'>,
  metrics: GatewayMetrics,
): Pick<MetricsStore, 'applyWindows'> {
  return {
    applyWindows: async (...given) => {
      try {
        const result = await (await store.open()).applyWindows(...given);
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
