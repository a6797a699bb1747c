import type { RelayConnection } from '../connection/connection.ts';
import { ObservationOutbox } from '../connection/observation-outbox.ts';
import { within } from '../lib/timeout.ts';
import type { BrowserConnectionOptions } from './browser-connection.ts';
import type { ObservationStore, StoredObservations } from './observation-store.ts';

/** Most time for the observations of earlier pages: more than a whole lesson takes on a good link. */
const DELIVER_WITHIN_MS = 150_000;
/** Without anything delivered for this long the network is not there. */
const PROGRESS_WITHIN_MS = 15_000;
/** A browser whose database does not answer in this time is treated as one without. */
const READ_WITHIN_MS = 1000;

/** How to reach the gateway. */
export interface FlushOptions extends Pick<BrowserConnectionOptions, 'addresses' | 'getTicket'> {
  readonly store: ObservationStore;
  connect(options: BrowserConnectionOptions): RelayConnection;
  /** Delivery of a session begins. */
  onBegin(stored: StoredObservations): void;
  /** Everything of it is delivered. */
  onDelivered(stored: StoredObservations): void;
}

/**
 * Delivers the observations that earlier pages of this student stored and could not send: they count at their capture
 * time, in their own session. What cannot be sent in time stays stored for the next page. Never rejects.
 */
export async function flushStoredObservations({ store, ...options }: FlushOptions): Promise<void> {
  const atMs = performance.now();
  for (const stored of (await within(store.read(), READ_WITHIN_MS, null)) ?? []) {
    const leftMs = DELIVER_WITHIN_MS - (performance.now() - atMs);
    if (leftMs <= 0 || !(await deliver(stored, options, leftMs))) return;
  }
}

/** Resolves with false where the network is not there. */
async function deliver(
  stored: StoredObservations,
  { connect, onBegin, onDelivered, ...options }: Omit<FlushOptions, 'store'>,
  withinMs: number,
): Promise<boolean> {
  const { camera, token, sectionId } = stored.session;
  const outbox = new ObservationOutbox(stored.storage, stored.observations);
  onBegin(stored);
  let isOwn = true;
  let stalled: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve) => {
    const connection = connect({
      ...options,
      resumeToken: token,
      outbox,
      mode: () => 'device',
      // Another student's, or deleted: it does not belong to the session that was opened instead.
      onWelcome: ({ resumed }) => {
        isOwn = resumed;
        if (!resumed) connection.close();
      },
      onUpdate: () => watch(),
      onEnded: () => resolve(),
    });
    const watch = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => connection.close(), PROGRESS_WITHIN_MS);
    };
    watch();
    connection.start({ camera, sectionId, mode: 'device' });
    connection.connect();
    // Closed, not stopped: its time ends with the last observation.
    void within(outbox.whenEmpty(), withinMs, undefined).then(() => connection.close());
  });
  clearTimeout(stalled);
  if (!isOwn) return true;
  if (outbox.size > 0) return false;
  onDelivered(stored);
  return true;
}
