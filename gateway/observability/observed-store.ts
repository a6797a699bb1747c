import { RelayError } from '../../shared/errors.ts';
import type { MetricsStore } from '../store/port.ts';
import type { GatewayMetrics } from './metrics.ts';

/** The part of a store that the spool uses, its deliveries counted. */
export function observeDeliveries(
  store: Pick<MetricsStore, 'applyWindows' | 'eyelearnDay'>,
  metrics: GatewayMetrics,
): Pick<MetricsStore, 'applyWindows' | 'eyelearnDay'> {
  return {
    eyelearnDay: (...given) => store.eyelearnDay(...given),
    applyWindows: async (...given) => {
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
