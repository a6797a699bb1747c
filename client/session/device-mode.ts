import { DevicePlacement, type DevicePlacementOptions } from '../capture/device-placement.ts';
import type { Placement, PlacementContext } from '../capture/placement.ts';
import { ObservationOutbox } from '../connection/observation-outbox.ts';
import { DeviceEngine, type DeviceEngineOptions } from '../device/engine.ts';
import { type FlushOptions, flushStoredObservations } from './flush-stored-observations.ts';
import { ObservationStore, type StoredObservations, type StoredSession } from './observation-store.ts';

/** How the page's session reaches the gateway, and how its connection is opened anew. */
interface FlushFromPage extends Omit<FlushOptions, 'store' | 'withinMs' | 'onBegin' | 'onDelivered'> {
  renew(): void;
}

/** A message to the student that needs no action. */
export interface Notice {
  readonly code: 'lesson_kept' | 'lesson_delivering' | 'lesson_delivered';
  readonly message: string;
}

/** Stored lessons are delivered in parts, so that the first picture of a page waits for a few seconds at most. */
const FIRST_PART_MS = 4000;
/** Later parts interrupt the session as a short outage does: what is captured meanwhile is kept and counted. */
const NEXT_PART_MS = 8000;
const BETWEEN_PARTS_MS = 15_000;
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
  #flushing: Promise<void> | null = null;
  #partMs = FIRST_PART_MS;
  #nextPart: ReturnType<typeof setTimeout> | undefined;
  /** When the sessions were stored whose delivery the student knows of. */
  readonly #announced = new Set<number>();

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
    if (!this.#isKept && this.#flushing === null && size >= KEPT_FROM) {
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

  /**
   * Delivers what earlier pages stored, or a part of it: `renew` is called later for the next part. To be called while the
   * session has no connection. Never rejects.
   */
  flush(options: FlushFromPage): Promise<void> {
    this.#flushing ??= this.#flush(options).finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flush({ renew, ...options }: FlushFromPage): Promise<void> {
    const name = ({ storedAtMs }: StoredObservations) => `Your lesson of ${timeText(storedAtMs)}`;
    const isUnfinished = await flushStoredObservations({
      ...options,
      store: this.#store,
      withinMs: this.#partMs,
      onBegin: (stored) => {
        if (this.#announced.has(stored.storedAtMs)) return;
        this.#announced.add(stored.storedAtMs);
        this.#onNotice({
          code: 'lesson_delivering',
          message: `${name(stored)} was kept on this device and is being delivered.`,
        });
      },
      onDelivered: (stored) => this.#noteDelivered(name(stored)),
    });
    this.#partMs = NEXT_PART_MS;
    clearTimeout(this.#nextPart);
    if (isUnfinished) this.#nextPart = setTimeout(renew, BETWEEN_PARTS_MS);
  }
}

function timeText(utcMs: number): string {
  const isToday = new Date(utcMs).toDateString() === new Date().toDateString();
  const day = isToday ? {} : ({ weekday: 'long' } as const);
  return new Date(utcMs).toLocaleTimeString([], { ...day, hour: '2-digit', minute: '2-digit' });
}
