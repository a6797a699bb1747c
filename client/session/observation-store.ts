import type { FrameSize } from '../../shared/geometry.ts';
import type { ObservationStorage, QueuedObservation } from '../connection/observation-outbox.ts';
import { flagStoredObservations } from './stored-flag.ts';

const DATABASE = 'gaze-relay';
const SESSIONS = 'sessions';
const OBSERVATIONS = 'observations';
/** As long as a resume token is valid. */
const STORED_FOR_MS = 12 * 3_600_000;

/** What another page needs to resume a session. */
export interface StoredSession {
  readonly sessionId: string;
  readonly resume: string;
  readonly camera: FrameSize;
  readonly sectionId: number | null;
}

/** Observations of a session that have not been delivered. */
export interface StoredObservations {
  readonly session: StoredSession;
  readonly observations: readonly QueuedObservation[];
}

interface SessionRow extends StoredSession {
  readonly student: string;
  /** UTC ms. */
  readonly storedAtMs: number;
}

interface ObservationRow extends QueuedObservation {
  readonly student: string;
  readonly sessionId: string;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(SESSIONS, { keyPath: 'student' });
    request.result.createObjectStore(OBSERVATIONS, { keyPath: ['student', 'captureMs'] });
  };
  return settled(request);
}

/**
 * Observations of one student at one module in the browser's database, so that they survive the page. If the browser
 * refuses storage, nothing fails: they are lost with the page.
 */
export class ObservationStore implements ObservationStorage {
  readonly #student: string;
  #session: StoredSession | null = null;
  #written: StoredSession | null = null;
  #turn: Promise<unknown>;

  constructor(httpOrigin: string, userId: number | string, moduleId: number | string) {
    this.#student = `${httpOrigin}:${userId}:${moduleId}`;
    this.#turn = Promise.resolve();
  }

  /** The session that observations belong to from now on. */
  setSession(session: StoredSession): void {
    this.#session = session;
  }

  put(observation: QueuedObservation): void {
    const session = this.#session;
    if (session === null) return;
    flagStoredObservations(true);
    this.#queue(async (database) => {
      const transaction = database.transaction([SESSIONS, OBSERVATIONS], 'readwrite');
      if (this.#written !== session) {
        const row: SessionRow = { ...session, student: this.#student, storedAtMs: Date.now() };
        transaction.objectStore(SESSIONS).put(row);
        this.#written = session;
      }
      const row: ObservationRow = { ...observation, student: this.#student, sessionId: session.sessionId };
      await settled(transaction.objectStore(OBSERVATIONS).put(row));
    });
  }

  remove(captureMs: number): void {
    this.#queue((database) =>
      settled(
        database.transaction(OBSERVATIONS, 'readwrite').objectStore(OBSERVATIONS).delete([this.#student, captureMs]),
      ),
    );
  }

  clear(): void {
    this.#queue((database) => {
      const transaction = database.transaction([SESSIONS, OBSERVATIONS], 'readwrite');
      this.#written = null;
      transaction.objectStore(SESSIONS).delete(this.#student);
      return settled(transaction.objectStore(OBSERVATIONS).delete(this.#range()));
    });
  }

  /** What an earlier page stored; null when there is nothing, or nothing that can still be delivered. */
  async read(): Promise<StoredObservations | null> {
    let found: StoredObservations | null = null;
    await this.#queue(async (database) => {
      const transaction = database.transaction([SESSIONS, OBSERVATIONS]);
      const rows = settled<ObservationRow[]>(transaction.objectStore(OBSERVATIONS).getAll(this.#range()));
      const session = await settled<SessionRow | undefined>(transaction.objectStore(SESSIONS).get(this.#student));
      const observations = (await rows).filter(({ sessionId }) => sessionId === session?.sessionId);
      const isFresh = session !== undefined && Date.now() - session.storedAtMs < STORED_FOR_MS;
      if (isFresh && observations.length > 0) found = { session, observations };
    });
    return found;
  }

  #range(): IDBKeyRange {
    return IDBKeyRange.bound([this.#student, 0], [this.#student, Number.MAX_SAFE_INTEGER]);
  }

  /** Runs one after the other. Failures (private window, full disk) are ignored. */
  #queue(work: (database: IDBDatabase) => Promise<unknown>): Promise<unknown> {
    this.#turn = this.#turn
      .then(async () => {
        const database = await openDatabase();
        try {
          await work(database);
        } finally {
          database.close();
        }
      })
      .catch(() => {});
    return this.#turn;
  }
}
