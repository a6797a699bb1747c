import { StorageType } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { headers } from '@nats-io/transport-node';
import { describeError, RelayError } from '../../../shared/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { NatsConfig } from '../../nats/config.ts';
import type { NatsLink, OpenNats } from '../../nats/connection.ts';
import type { StudentNotes } from '../second-way.ts';
import { namesOf, PARTS } from './names.ts';
import { unlessNoStream } from './stream.ts';

/** A note that was not written for this long belongs to no student who is still active. */
const KEPT_MS = 90 * 86_400_000;
/** Key of a part's bucket: which gateway has claimed the part. The other keys are students. */
const OWNER = 'owner';

/** Header of an entry that was removed. */
const OPERATION = 'KV-Operation';

/** What is noted of one student, as JSON. */
interface Note {
  /** Keys of windows whose time goes the second way. */
  readonly moved: readonly string[];
  /** What the second way keeps of the student; null: nothing. */
  readonly secondWay: unknown;
}

/** What the owner of a part leaves to the next one. */
interface Claim {
  readonly gatewayId: string;
  /** Place in the stream of the newest window that was in its hands; null while it has the part. */
  readonly triedUpTo: number | null;
}

interface Part {
  readonly nats: OpenNats;
  readonly notes: Map<number, Note>;
  readonly changed: Set<number>;
  /** Sequence of the last change of the bucket that this gateway knows of. */
  lastSeq: number;
  writing: Promise<void>;
  isLost: boolean;
}

/** The notes of the parts that this gateway delivers. */
export interface PartNotes extends StudentNotes {
  /**
   * Claims a part and reads its notes. Resolves with the place in the stream up to which windows may have been tried by another
   * gateway, null where that is not known. Rejects where another gateway claims it, or NATS does not answer.
   */
  claim(nats: OpenNats, part: number): Promise<number | null>;
  /** Leaves a part to the next gateway. `triedUpTo`: place in the stream of the newest window that was in hand here. Always resolves. */
  release(part: number, triedUpTo: number): Promise<void>;
  isMoved(userId: number, key: string): boolean;
  /** Changes the mark of a window in memory; `commit` writes it. Nothing where this gateway has not the student's part. */
  setMoved(userId: number, key: string, isMoved: boolean): void;
}

const partOf = (userId: number): number => userId % PARTS;

const lost = (part: number, cause?: unknown) =>
  new RelayError('part_lost', `another gateway delivers part ${part} of the students, or NATS did not answer`, {
    cause,
  });

/**
 * Notes about students in NATS, one bucket for each part. A bucket takes a change from the gateway that claimed the part last, and only
 * if it knows the bucket's last change: the sequence number of the bucket is compared with each write. So a gateway that stood still
 * while another took its part over cannot change anything, and finds that out before it acts on it.
 */
export function openPartNotes(options: {
  readonly link: NatsLink;
  readonly gatewayId: string;
  readonly logger: Logger;
  /** A part was lost: its windows are not for this gateway any more. */
  readonly onLost: (part: number) => void;
}): PartNotes {
  const { link, gatewayId, logger, onLost } = options;
  const { config } = link;
  const names = namesOf(config);
  const parts = new Map<number, Part>();

  const held = (userId: number): Part | null => parts.get(partOf(userId)) ?? null;
  const noteOf = (userId: number): Note => held(userId)?.notes.get(userId) ?? { moved: [], secondWay: null };

  function change(userId: number, changes: Partial<Note>): void {
    const part = held(userId);
    if (part === null) return;
    const note = { ...noteOf(userId), ...changes };
    if (note.moved.length === 0 && note.secondWay === null) part.notes.delete(userId);
    else part.notes.set(userId, note);
    part.changed.add(userId);
  }

  function lose(index: number, part: Part, cause: unknown): void {
    if (part.isLost) return;
    part.isLost = true;
    if (parts.get(index) === part) parts.delete(index);
    logger.warn(
      { code: 'part_lost', part: index, reason: describeError(cause) },
      'notes of a part of the students were lost',
    );
    onLost(index);
  }

  async function put(index: number, part: Part, key: string, text: string | null): Promise<void> {
    const marks = headers();
    if (text === null) marks.set(OPERATION, 'DEL');
    const { seq } = await part.nats.js.publish(`$KV.${names.notesOf(index)}.${key}`, text ?? '', {
      headers: marks,
      expect: { lastSequence: part.lastSeq },
    });
    part.lastSeq = seq;
  }

  /** Writes what has changed, one after the other: each write names the one before it. */
  async function write(index: number, part: Part): Promise<void> {
    if (part.isLost) throw lost(index);
    try {
      for (const userId of [...part.changed]) {
        part.changed.delete(userId);
        const note = part.notes.get(userId);
        await put(index, part, String(userId), note === undefined ? null : JSON.stringify(note));
      }
    } catch (error) {
      lose(index, part, error);
      throw lost(index, error);
    }
  }

  async function commit(userIds: Iterable<number>): Promise<void> {
    const indices = new Set([...userIds].map(partOf));
    const results = await Promise.allSettled(
      [...indices].map((index) => {
        const part = parts.get(index);
        if (part === undefined) return Promise.reject(lost(index));
        part.writing = part.writing.catch(() => undefined).then(() => write(index, part));
        return part.writing;
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  return {
    async claim(nats, index) {
      const bucket = await bucketOf(nats, config, index);
      const before = await bucket.get(OWNER);
      const claim: Claim = { gatewayId, triedUpTo: null };
      const text = JSON.stringify(claim);
      const lastSeq = await (before === null
        ? bucket.create(OWNER, text)
        : bucket.update(OWNER, text, before.revision));
      const notes = await readNotes(bucket);
      parts.set(index, { nats, notes, changed: new Set(), lastSeq, writing: Promise.resolve(), isLost: false });
      return before?.operation === 'PUT' ? before.json<Claim>().triedUpTo : null;
    },
    async release(index, triedUpTo) {
      const part = parts.get(index);
      if (part === undefined) return;
      parts.delete(index);
      const claim: Claim = { gatewayId, triedUpTo };
      await part.writing.catch(() => undefined);
      if (part.isLost || part.changed.size > 0) return;
      part.isLost = true;
      await put(index, part, OWNER, JSON.stringify(claim)).catch((error: unknown) =>
        // The next gateway takes all windows for tried.
        logger.debug({ part: index, reason: describeError(error) }, 'the end of a claim was not written'),
      );
    },
    isMoved: (userId, key) => noteOf(userId).moved.includes(key),
    setMoved(userId, key, isMoved) {
      const others = noteOf(userId).moved.filter((other) => other !== key);
      change(userId, { moved: isMoved ? [...others, key] : others });
    },
    *all() {
      for (const { notes } of parts.values()) {
        for (const [userId, { secondWay }] of notes) if (secondWay !== null) yield [userId, secondWay];
      }
    },
    get: (userId) => noteOf(userId).secondWay,
    set: (userId, secondWay) => change(userId, { secondWay }),
    commit,
    async forget(userId) {
      if (held(userId) !== null) {
        change(userId, { moved: [], secondWay: null });
        await commit([userId]);
        return;
      }
      // The gateway that has the part finds its own next write refused, and reads again.
      await link.use((nats) => forgetNote(nats, config, userId));
    },
  };
}

function bucketOf({ kvm }: OpenNats, config: NatsConfig, part: number): Promise<KV> {
  return kvm.create(namesOf(config).notesOf(part), {
    storage: StorageType.File,
    replicas: config.replicas,
    history: 1,
    // Copies may answer with what was true a moment ago.
    allow_direct: false,
    ttl: KEPT_MS,
  });
}

async function readNotes(bucket: KV): Promise<Map<number, Note>> {
  const keys: string[] = [];
  for await (const key of await bucket.keys()) if (key !== OWNER) keys.push(key);
  const notes = new Map<number, Note>();
  await Promise.all(
    keys.map(async (key) => {
      const entry = await bucket.get(key);
      if (entry?.operation === 'PUT') notes.set(Number(key), entry.json<Note>());
    }),
  );
  return notes;
}

/** The note of a student as JSON text; null where there is none. */
export async function readNote({ jsm }: OpenNats, config: NatsConfig, userId: number): Promise<string | null> {
  const bucket = namesOf(config).notesOf(partOf(userId));
  const query = { last_by_subj: `$KV.${bucket}.${userId}` };
  const message = await unlessNoStream(() => jsm.streams.getMessage(`KV_${bucket}`, query), null);
  return message === null || message.header.has(OPERATION) ? null : message.string();
}

/** Removes the note of a student. The gateway that has the student's part loses it, and reads the notes again. */
export async function forgetNote(nats: OpenNats, config: NatsConfig, userId: number): Promise<void> {
  await (await bucketOf(nats, config, partOf(userId))).purge(String(userId));
}
