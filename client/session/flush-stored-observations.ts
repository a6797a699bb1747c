import type { RelayConnection } from '../connection/connection.ts';
import { ObservationOutbox } from '../connection/observation-outbox.ts';
import { within } from '../lib/timeout.ts';
import { tokenPayload } from '../lib/token-payload.ts';
import type { BrowserConnectionOptions } from './browser-connection.ts';
import type { ObservationStore, StoredObservations } from './observation-store.ts';

/** Most time for the session that this page resumes: more than a whole lesson takes on a good link. */
const RESUMED_WITHIN_MS = 150_000;
/** Without anything delivered for this long the network is not there. */
const PROGRESS_WITHIN_MS = 15_000;
/** A browser whose database does not answer in this time is treated as one without. */
const READ_WITHIN_MS = 1000;

/** How to reach the gateway. */
export interface FlushOptions extends Pick<BrowserConnectionOptions, 'addresses' | 'getTicket'> {
  readonly store: Pick<ObservationStore, 'read'>;
  /** The token with which this page resumes a session; null without one. */
  readonly resumeToken: string | null;
  /** Most time for all other sessions, ms: the student has one stream, so nothing is tracked meanwhile. */
  readonly withinMs: number;
  connect(options: BrowserConnectionOptions): RelayConnection;
  /** Delivery of a session begins. */
  onBegin(stored: StoredObservations): void;
  /** Everything of it is delivered. */
  onDelivered(stored: StoredObservations): void;
}

/**
 * Delivers the observations that earlier pages of this student stored and could not send: they count at their capture
 * time, in their own session. The session that this page resumes is delivered first and whole: a newer message of it
 * would make them too old. Resolves with true where the time was too short and another call can deliver more. What is not
 * delivered stays stored. Never rejects.
 */
export async function flushStoredObservations({ store, withinMs, ...options }: FlushOptions): Promise<boolean> {
  const atMs = performance.now();
  const all = (await within(store.read(), READ_WITHIN_MS, null)) ?? [];
  const resumedId = sessionOfToken(options.resumeToken);
  const isResumed = ({ session }: StoredObservations) => session.sessionId === resumedId;
  for (const stored of all.toSorted((one, other) => Number(isResumed(other)) - Number(isResumed(one)))) {
    const leftMs = (isResumed(stored) ? RESUMED_WITHIN_MS : withinMs) - (performance.now() - atMs);
    if (leftMs <= 0) return true;
    const outcome = await deliver(stored, options, leftMs);
    if (outcome !== 'delivered') return outcome === 'unfinished';
  }
  return false;
}

/** The session id in a resume token; null where it is none. */
function sessionOfToken(token: string | null): string | null {
  try {
    const { sid } = tokenPayload(token ?? '');
    return typeof sid === 'string' ? sid : null;
  } catch {
    return null;
  }
}

/** `offline`: the network is not there, or the gateway takes nothing now. */
async function deliver(
  stored: StoredObservations,
  { connect, onBegin, onDelivered, ...options }: Omit<FlushOptions, 'store' | 'withinMs'>,
  withinMs: number,
): Promise<'delivered' | 'unfinished' | 'offline'> {
  const { camera, token, sectionId } = stored.session;
  const outbox = new ObservationOutbox(stored.storage, stored.observations);
  onBegin(stored);
  let isOwn = true;
  let isLate = false;
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
    void within(outbox.whenEmpty(), withinMs, 'late' as const).then((result) => {
      isLate = result === 'late';
      connection.close();
    });
  });
  clearTimeout(stalled);
  if (!isOwn) return 'delivered';
  if (outbox.size > 0) return isLate ? 'unfinished' : 'offline';
  onDelivered(stored);
  return 'delivered';
}
