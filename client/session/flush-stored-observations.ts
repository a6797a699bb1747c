import type { GatewayAddresses } from '../connection/addresses.ts';
import { createBrowserConnection } from '../connection/browser-connection.ts';
import { ObservationOutbox } from '../connection/observation-outbox.ts';
import { within } from '../lib/timeout.ts';
import type { ObservationStore } from './observation-store.ts';

/** A student does not wait longer than this for what an earlier page left. */
const DELIVER_WITHIN_MS = 15_000;
/** A browser whose database does not answer in this time is taken for one without. */
const LOOK_WITHIN_MS = 1000;

/**
 * Delivers the observations that an earlier page of this student kept and could not send: they are accounted at their
 * capture time, in their own session. What does not leave in time stays for the next page. Never rejects.
 */
export async function deliverLeftover(options: {
  readonly addresses: GatewayAddresses;
  readonly store: ObservationStore;
  getTicket(): Promise<string>;
}): Promise<void> {
  const { addresses, store, getTicket } = options;
  const leftover = await within(store.leftover(), LOOK_WITHIN_MS, null);
  if (leftover === null) return;
  const { camera, resume, sectionId } = leftover.session;
  const outbox = new ObservationOutbox(store, leftover.kept);
  await new Promise<void>((resolve) => {
    const connection = createBrowserConnection({
      url: addresses.streamUrl,
      resumeToken: resume,
      getTicket,
      outbox,
      onEnded: () => resolve(),
    });
    connection.start({ camera, sectionId, mode: 'device' });
    connection.connect();
    // Closed and not stopped: the session may go on, and its time ends with the last observation.
    void within(outbox.whenEmpty(), DELIVER_WITHIN_MS, undefined).then(() => connection.close());
  });
}
