import type { RelayConnection } from '../connection/connection.ts';
import { ObservationOutbox } from '../connection/observation-outbox.ts';
import { within } from '../lib/timeout.ts';
import type { BrowserConnectionOptions } from './browser-connection.ts';
import type { ObservationStore } from './observation-store.ts';

/** A student waits no longer than this for the observations of an earlier page. */
const DELIVER_WITHIN_MS = 15_000;
/** A browser whose database does not answer in this time is treated as one without. */
const READ_WITHIN_MS = 1000;

/** How to reach the gateway. */
export interface FlushOptions extends Pick<BrowserConnectionOptions, 'addresses' | 'getTicket'> {
  readonly store: ObservationStore;
  connect(options: BrowserConnectionOptions): RelayConnection;
}

/**
 * Delivers the observations that an earlier page of this student stored and could not send: they count at their capture
 * time, in their own session. What cannot be sent in time stays stored for the next page. Never rejects.
 */
export async function flushStoredObservations({ connect, store, ...options }: FlushOptions): Promise<void> {
  const stored = await within(store.read(), READ_WITHIN_MS, null);
  if (stored === null) return;
  const { camera, resume, sectionId } = stored.session;
  const outbox = new ObservationOutbox(store, stored.observations);
  await new Promise<void>((resolve) => {
    const connection = connect({
      ...options,
      resumeToken: resume,
      outbox,
      mode: () => 'device',
      onEnded: () => resolve(),
    });
    connection.start({ camera, sectionId, mode: 'device' });
    connection.connect();
    // Closed, not stopped: the session may be resumed, and its time ends with the last observation.
    void within(outbox.whenEmpty(), DELIVER_WITHIN_MS, undefined).then(() => connection.close());
  });
}
