import type { FrameSize } from '../../shared/geometry.ts';
import { decodeObservation, encodeObservation, OBSERVATION_BYTES } from '../../shared/observation.ts';
import type { ObservationStorage, QueuedObservation } from '../connection/observation-outbox.ts';
import { flagStoredObservations } from './stored-flag.ts';

const DATABASE = 'gaze-relay';
const VERSION = 2;
const SESSIONS = 'sessions';
const OBSERVATIONS = 'observations';
/** As long as the gateway takes them by default (LATE_MAX_MINUTES). */
const STORED_FOR_MS = 7 * 24 * 3_600_000;

/** What another page needs to deliver a session's observations. */
export interface StoredSession {
  readonly sessionId: string;
  /** Opens the session for them. */
  readonly token: string;
  readonly camera: FrameSize;
  readonly sectionId: number | null;
}

/** Observations of one session that have not been delivered. */
export interface StoredObservations {
  readonly session: StoredSession;
  readonly observations: readonly QueuedObservation[];
  /** When the first was stored, UTC ms. */
  readonly storedAtMs: number;
  /** Where the delivered ones are removed. */
  readonly storage: ObservationStorage;
}

/** `id` is given by the database: keys of observations stay short with it. */
interface SessionRow extends StoredSession {
  readonly id?: number;
  /** Gateway, user and module. */
  readonly student: string;
  readonly storedAtMs: number;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => {
    const { result } = request;
    // Version 1 had other rows, for twelve hours.
    for (const name of [...result.objectStoreNames]) result.deleteObjectStore(name);
    result.createObjectStore(SESSIONS, { keyPath: 'id', autoIncrement: true });
    result.createObjectStore(OBSERVATIONS);
  };
  return settled(request);
}

/** The observation as on the wire; no bytes for a picture that was identical to the one before. */
function bytesOf({ observation }: QueuedObservation): Uint8Array<ArrayBuffer> {
  if (observation === null) return new Uint8Array(0);
  const bytes = new Uint8Array(OBSERVATION_BYTES);
  encodeObservation(new DataView(bytes.buffer), 0, observation);
  return bytes;
}

function queuedOf([, captureMs]: readonly [number, number], bytes: Uint8Array): QueuedObservation {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { captureMs, observation: bytes.length === 0 ? null : decodeObservation(view, 0) };
}

/** All observations of a session. */
function rangeOf(id: number): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Number.MAX_SAFE_INTEGER]);
}

/**
 * Observations of one student at one module in the browser's database, so that they survive the page. If the browser
 * refuses storage, nothing fails: they are lost with the page. They are removed when they are delivered, or too old.
 */
export class ObservationStore implements ObservationStorage {
  readonly #student: string;
  #session: StoredSession | null = null;
  /** The newest session with a row, and the row's id. */
  #written: { readonly session: StoredSession; readonly id: number } | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(httpOrigin: string, userId: number | string, moduleId: number | string) {
    this.#student = `${httpOrigin}:${userId}:${moduleId}`;
  }

  /** The session that observations belong to from now on. */
  setSession(session: StoredSession): void {
    this.#session = session;
  }

  put(queued: QueuedObservation): void {
    const session = this.#session;
    if (session === null) return;
    flagStoredObservations(true);
    this.#queue(async (database) => {
      const transaction = database.transaction([SESSIONS, OBSERVATIONS], 'readwrite');
      let id = this.#written?.session.sessionId === session.sessionId ? this.#written.id : undefined;
      if (id === undefined || this.#written?.session !== session) {
        const row: SessionRow = { ...session, student: this.#student, storedAtMs: Date.now() };
        id = Number(await settled(transaction.objectStore(SESSIONS).put(id === undefined ? row : { ...row, id })));
        this.#written = { session, id };
      }
      await settled(transaction.objectStore(OBSERVATIONS).put(bytesOf(queued), [id, queued.captureMs]));
    });
  }

  remove(captureMs: number): void {
    this.#queue(async (database) => {
      const written = this.#written;
      if (written !== null && (await removeDelivered(database, written.id, captureMs))) this.#written = null;
    });
  }

  /** What is stored of an earlier session waits for a page that can deliver it. */
  clear(): void {
    this.#queue(async () => {
      this.#written = null;
    });
  }

  /**
   * What this student's earlier pages stored, and this one of earlier sessions, the oldest first. Too old ones, of any
   * student, are removed.
   */
  async read(): Promise<readonly StoredObservations[]> {
    const found: StoredObservations[] = [];
    await this.#queue(async (database) => {
      const transaction = database.transaction([SESSIONS, OBSERVATIONS], 'readwrite');
      const sessions = transaction.objectStore(SESSIONS);
      const observations = transaction.objectStore(OBSERVATIONS);
      const rows = await settled<Required<SessionRow>[]>(sessions.getAll());
      flagStoredObservations(rows.length > 0);
      for (const { id, student, storedAtMs, ...session } of rows) {
        if (Date.now() - storedAtMs > STORED_FOR_MS) {
          sessions.delete(id);
          observations.delete(rangeOf(id));
        } else if (student === this.#student && id !== this.#written?.id) {
          const keys = settled(observations.getAllKeys(rangeOf(id))) as Promise<[number, number][]>;
          const values = await settled<Uint8Array[]>(observations.getAll(rangeOf(id)));
          const queued = (await keys).map((key, index) => queuedOf(key, values[index] ?? new Uint8Array(0)));
          found.push({ session, observations: queued, storedAtMs, storage: this.#storageOf(id) });
        }
      }
    });
    return found;
  }

  /** A session is delivered: nothing of it stays. */
  #storageOf(id: number): ObservationStorage {
    return {
      put: () => {},
      remove: (captureMs) => void this.#queue((database) => removeDelivered(database, id, captureMs)),
      clear: () => {},
    };
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

/** Removes one observation, and its session with the last of them: true then. */
async function removeDelivered(database: IDBDatabase, id: number, captureMs: number): Promise<boolean> {
  const transaction = database.transaction([SESSIONS, OBSERVATIONS], 'readwrite');
  const observations = transaction.objectStore(OBSERVATIONS);
  observations.delete([id, captureMs]);
  if ((await settled(observations.getKey(rangeOf(id)))) !== undefined) return false;
  const sessions = transaction.objectStore(SESSIONS);
  await settled(sessions.delete(id));
  if ((await settled(sessions.count())) === 0) flagStoredObservations(false);
  return true;
}
