import { DevicePlacement, type DevicePlacementOptions } from '../capture/device-placement.ts';
import type { Placement, PlacementContext } from '../capture/placement.ts';
import { ObservationOutbox } from '../connection/observation-outbox.ts';
import { DeviceEngine, type DeviceEngineOptions } from '../device/engine.ts';
import { type FlushOptions, flushStoredObservations } from './flush-stored-observations.ts';
import { ObservationStore, type StoredObservations, type StoredSession } from './observation-store.ts';

/** A message to the student that needs no action. */
export interface Notice {
  readonly code: 'lesson_kept' | 'lesson_delivering' | 'lesson_delivered';
  readonly message: string;
}

/** About ten seconds: shorter outages are not worth a word. */
const KEPT_FROM = 25;

/**
 * Device mode of one student at one module: the engine, its placement, and the observations that wait for a connection.
 * Loaded when it is needed (GatewayAssets).
 */
export class DeviceMode {
  readonly outbox: ObservationOutbox;
  readonly #store: ObservationStore;

  readonly #onNotice: (notice: Notice) => void;
  #isKept = false;

  constructor(
    httpOrigin: string,
    userId: number | string,
    moduleId: number | string,
    onNotice: (notice: Notice) => void,
  ) {
    const store = new ObservationStore(httpOrigin, userId, moduleId);
    this.#store = store;
    this.#onNotice = onNotice;
    this.outbox = new ObservationOutbox({
      put: (queued) => {
        store.put(queued);
        this.#noteSize();
      },
      remove: (captureMs) => {
        store.remove(captureMs);
        this.#noteSize();
      },
      clear: () => store.clear(),
    });
  }

  #noteSize(): void {
    const { size } = this.outbox;
    if (!this.#isKept && size >= KEPT_FROM) {
      this.#isKept = true;
      this.#onNotice({
        code: 'lesson_kept',
        message: 'There is no connection. Your lesson is kept on this device and is delivered when there is one.',
      });
    } else if (this.#isKept && size === 0) {
      this.#isKept = false;
      this.#noteDelivered('Your time without a connection');
    }
  }

  #noteDelivered(what: string): void {
    const message = `${what} was delivered at ${timeText(Date.now())}.`;
    this.#onNotice({ code: 'lesson_delivered', message });
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
  flush(options: Omit<FlushOptions, 'store' | 'onBegin' | 'onDelivered'>): Promise<void> {
    const name = ({ storedAtMs }: StoredObservations) => `Your lesson of ${timeText(storedAtMs)}`;
    return flushStoredObservations({
      ...options,
      store: this.#store,
      onBegin: (stored) =>
        this.#onNotice({
          code: 'lesson_delivering',
          message: `${name(stored)} was kept on this device. It is being delivered; tracking begins afterwards.`,
        }),
      onDelivered: (stored) => this.#noteDelivered(name(stored)),
    });
  }
}

function timeText(utcMs: number): string {
  const isToday = new Date(utcMs).toDateString() === new Date().toDateString();
  const day = isToday ? {} : ({ weekday: 'long' } as const);
  return new Date(utcMs).toLocaleTimeString([], { ...day, hour: '2-digit', minute: '2-digit' });
}
