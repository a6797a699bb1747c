import { setTimeout as delay } from 'node:timers/promises';
import type { StoredMsg } from '@nats-io/jetstream';
import type { NatsLink, OpenNats } from '../../nats/connection.ts';
import type { FolderRecords } from '../folder-records.ts';
import { noteForgotten } from './forgotten.ts';
import { namesOf } from './names.ts';
import { forgetRefused, listRefused } from './refused.ts';
import { countOf, messagesOf, unlessNoStream } from './stream.ts';
import { forgetNote, readNote } from './student-notes.ts';

const CHECK_EVERY_MS = 200;

/** What NATS keeps of students, place by place (`nats/place`). All reject as NATS does. */
export type StreamRecords = Pick<FolderRecords, 'exportOf'> & {
  /**
   * Without a gateway at hand: waits up to `waitMs` until the gateways have delivered the windows of a student, deletes what is left, and
   * has the gateways forget what is in their files. Resolves with the number of entries by place.
   */
  forgetStudent(userId: number, nowMs: number, waitMs: number): Promise<Readonly<Record<string, number>>>;
};

/** Reads and deletes what waits in NATS; no gateway need run. */
export function streamRecords(link: NatsLink): StreamRecords {
  const { config } = link;
  const names = namesOf(config);

  const windowsOf = (open: OpenNats, userId: number): Promise<StoredMsg[]> =>
    unlessNoStream(() => messagesOf(open, names.stream, names.subjectsOfStudent(userId)), []);

  const refusedOf = async (open: OpenNats, userId: number) =>
    (await listRefused(open, config)).filter((entry) => entry.userId === userId);

  return {
    exportOf: (userId) =>
      link.use(async (open) => {
        const windows = (await windowsOf(open, userId)).map((message) => ({ body: message.string() }));
        const refused = (await refusedOf(open, userId)).map(({ body, error }) => ({ body, error }));
        const note = await readNote(open, config, userId);
        return {
          'nats/windows': windows,
          'nats/refused': refused,
          'nats/notes': note === null ? [] : [{ body: note }],
        };
      }),
    forgetStudent: (userId, nowMs, waitMs) =>
      link.use(async (open) => {
        const waiting = () => unlessNoStream(() => countOf(open, names.stream, names.subjectsOfStudent(userId)), 0);
        for (let waitedMs = 0; waitedMs < waitMs && (await waiting()) > 0; waitedMs += CHECK_EVERY_MS) {
          await delay(CHECK_EVERY_MS);
        }
        await noteForgotten(open, config, userId, nowMs);
        const windows = await waiting();
        if (windows > 0) await open.jsm.streams.purge(names.stream, { filter: names.subjectsOfStudent(userId) });
        const refused = (await refusedOf(open, userId)).length;
        await forgetRefused(open, config, userId);
        const notes = (await readNote(open, config, userId)) === null ? 0 : 1;
        if (notes > 0) await forgetNote(open, config, userId);
        const counts = { 'nats/windows': windows, 'nats/refused': refused, 'nats/notes': notes };
        return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
      }),
  };
}
