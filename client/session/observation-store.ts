import type { FrameSize } from '../../shared/geometry.ts';
import type { KeptObservation, ObservationKeeper } from '../connection/observation-outbox.ts';

const DATABASE = 'gaze-relay';
const SESSIONS = 'sessions';
const OBSERVATIONS = 'observations';
/** As long as a resume token is good. */
const KEPT_FOR_MS = 12 * 3_600_000;

/** What is needed to go on with a session on another page. */
export interface KeptSession {
  readonly sessionId: string;
  readonly resume: string;
  readonly camera: FrameSize;
  readonly sectionId: number | null;
}

/** Observations of a session that no page has delivered yet. */
export interface Leftover {
  readonly session: KeptSession;
  readonly kept: readonly KeptObservation[];
}

interface SessionRow extends KeptSession {
  readonly student: string;
  /** UTC ms. */
  readonly keptAtMs: number;
}

interface ObservationRow extends KeptObservation {
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
 * Observations of one student at one module in the browser's own database, so that they outlive the page. Storage
 * that the browser refuses is no reason to fail: then they live as long as the page.
 */
export class ObservationStore implements ObservationKeeper {
  readonly #student: string;
  #session: KeptSession | null = null;
  #written: KeptSession | null = null;
  #turn: Promise<unknown>;

  constructor(httpOrigin: string, userId: number | string, moduleId: number | string) {
    this.#student = `${httpOrigin}:${userId}:${moduleId}`;
    this.#turn = Promise.resolve();
  }

  /** The session that observations belong to from now on. */
  belongTo(session: KeptSession): void {
    this.#session = session;
  }

  put(kept: KeptObservation): void {
    const session = this.#session;
    if (session === null) return;
    this.#queue(async (database) => {
      const transaction = database.transaction([SESSIONS, OBSERVATIONS], 'readwrite');
      if (this.#written !== session) {
        const row: SessionRow = { ...session, student: this.#student, keptAtMs: Date.now() };
        transaction.objectStore(SESSIONS).put(row);
        this.#written = session;
      }
      const row: ObservationRow = { ...kept, student: this.#student, sessionId: session.sessionId };
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

  /** What an earlier page left; null where there is nothing, or nothing that can still be delivered. */
  async leftover(): Promise<Leftover | null> {
    let found: Leftover | null = null;
    await this.#queue(async (database) => {
      const transaction = database.transaction([SESSIONS, OBSERVATIONS]);
      const rows = settled<ObservationRow[]>(transaction.objectStore(OBSERVATIONS).getAll(this.#range()));
      const session = await settled<SessionRow | undefined>(transaction.objectStore(SESSIONS).get(this.#student));
      const kept = (await rows).filter(({ sessionId }) => sessionId === session?.sessionId);
      const isFresh = session !== undefined && Date.now() - session.keptAtMs < KEPT_FOR_MS;
      if (isFresh && kept.length > 0) found = { session, kept };
    });
    return found;
  }

  #range(): IDBKeyRange {
    return IDBKeyRange.bound([this.#student, 0], [this.#student, Number.MAX_SAFE_INTEGER]);
  }

  /** One after the other. A failure (private window, full disk) is where it ends. */
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
