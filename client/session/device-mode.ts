import { DevicePlacement, type DevicePlacementOptions } from '../capture/device-placement.ts';
import type { Placement, PlacementContext } from '../capture/placement.ts';
import { ObservationOutbox } from '../connection/observation-outbox.ts';
import { DeviceEngine, type DeviceEngineOptions } from '../device/engine.ts';
import { type FlushOptions, flushStoredObservations } from './flush-stored-observations.ts';
import { ObservationStore, type StoredSession } from './observation-store.ts';

/**
 * Device mode of one student at one module: the engine, its placement, and the observations that wait for a connection.
 * Loaded when it is needed (GatewayAssets).
 */
export class DeviceMode {
  readonly outbox: ObservationOutbox;
  readonly #store: ObservationStore;

  constructor(httpOrigin: string, userId: number | string, moduleId: number | string) {
    this.#store = new ObservationStore(httpOrigin, userId, moduleId);
    this.outbox = new ObservationOutbox(this.#store);
  }

  /** The session that observations belong to from now on. */
  setSession(session: StoredSession): void {
    this.#store.setSession(session);
  }

  /** As the constructor of DeviceEngine. */
  openEngine(options: DeviceEngineOptions): DeviceEngine {
    return new DeviceEngine(options);
  }

  createPlacement(context: PlacementContext, options: DevicePlacementOptions): Placement {
    return new DevicePlacement(context, options);
  }

  /** Delivers what an earlier page stored. Never rejects. */
  flush(options: Omit<FlushOptions, 'store'>): Promise<void> {
    return flushStoredObservations({ ...options, store: this.#store });
  }
}
