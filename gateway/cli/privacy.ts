import { writeFile } from 'node:fs/promises';
import mysql from 'mysql2/promise';
import { RelayError } from '../../shared/errors.ts';
import { folderRecords } from '../delivery/folder-records.ts';
import { waitingRecords } from '../delivery/waiting-records.ts';
import type { NatsLink } from '../nats/connection.ts';
import type { Platform } from '../platform.ts';
import { addCounts, applyRetention } from '../privacy/retention.ts';
import { RETENTION_HINT, retentionChoice } from '../privacy/retention-choice.ts';
import { deleteStudent, exportStudent, writeAudit } from '../privacy/student.ts';
import { grantReaderRole, READER_ROLE } from '../store/mysql/reader-role.ts';
import { openStore } from '../store/open.ts';
import type { MetricsStore } from '../store/port.ts';
import { type CliContext, type Command, configOf, readOptions, terminalLogger, wholeNumberOption } from './command.ts';
import { platformOf } from './platform.ts';

const DAY_MS = 86_400_000;
const OPERATOR = { userId: null, role: 'operator' };

/** How long a deletion waits for gateways that are delivering the student's windows. */
const DELIVERED_WITHIN_MS = 5000;

/** Runs a task with NATS, as configured; null without NATS_URL. */
async function withNats<T>(context: CliContext, work: (nats: NatsLink | null) => Promise<T>): Promise<T> {
  const { nats } = configOf(context);
  if (nats === null) return work(null);
  const { natsLink } = await import('../nats/connection.ts');
  const link = natsLink(nats, terminalLogger(context));
  try {
    return await work(link);
  } finally {
    await link.close();
  }
}

async function withStore<T>(
  context: CliContext,
  work: (store: MetricsStore, platform: Platform) => Promise<T>,
): Promise<T> {
  const config = configOf(context);
  const logger = terminalLogger(context);
  const platform = platformOf(config, logger);
  const store = await openStore(config, logger, platform.loadStoreHooks);
  try {
    return await work(store, platform);
  } finally {
    await store.close();
  }
}

/** Deletes what is older than RETENTION_DAYS and RETENTION_TOTALS_DAYS. */
export const retention: Command = {
  name: 'retention',
  usage: '[--max-steps N]',
  summary: 'deletes what is older than RETENTION_DAYS and RETENTION_TOTALS_DAYS; it may be stopped and started again',
  async run(argv, context) {
    const options = readOptions(argv, { 'max-steps': 'string' });
    const maxSteps = wholeNumberOption('max-steps', options['max-steps'], 1, 1_000_000);
    const { retention: configured, dataDir } = configOf(context);
    const nowMs = context.now();
    const result = await withStore(context, async (store, platform) => {
      const { rules, ...unset } = await retentionChoice(store, configured, nowMs);
      if (rules === null) {
        context.err(`${'message' in unset ? unset.message : ''}; ${RETENTION_HINT}`);
        return null;
      }
      if (rules.detailDays === null && rules.totalsDays === null) {
        context.err('nothing is deleted: RETENTION_DAYS and RETENTION_TOTALS_DAYS are forever');
      }
      const { deleted, isDone } = await applyRetention(store, platform.records, rules, nowMs, maxSteps);
      const counts: Record<string, number> = { ...deleted };
      if (rules.detailDays !== null) {
        addCounts(counts, await folderRecords(dataDir).forgetOlder(nowMs - rules.detailDays * DAY_MS));
      }
      return { ...counts, isDone };
    });
    if (result === null) return 1;
    context.out(JSON.stringify(result));
    return 0;
  },
};

/** Writes all that is stored of a student as JSON. */
export const exportStudentCommand: Command = {
  name: 'export-student',
  usage: '--user ID [--out FILE]',
  summary: 'writes all that is stored of a student as JSON',
  async run(argv, context) {
    const options = readOptions(argv, { user: 'string', out: 'string' });
    const userId = wholeNumberOption('user', options.user, 1);
    const exported = await withStore(context, async (store, platform) => {
      const line = {
        atMs: context.now(),
        actor: OPERATOR,
        action: 'export_student',
        subjectUserId: userId,
        detail: 'cli',
      };
      await writeAudit(store, [line]);
      return withNats(context, (nats) => {
        const waiting = waitingRecords(folderRecords(configOf(context).dataDir), nats);
        return exportStudent(store, platform.records, waiting, userId, context.now());
      });
    });
    const text = JSON.stringify(exported, null, 2);
    if (options.out === undefined) {
      context.out(text);
      return 0;
    }
    await writeFile(options.out, `${text}\n`, { mode: 0o600 });
    context.err(`ok: ${options.out} has all that is stored of user ${userId}; only you may read it`);
    return 0;
  },
};

/** Deletes all that is stored of a student. */
export const deleteStudentCommand: Command = {
  name: 'delete-student',
  usage: '--user ID --yes',
  summary: "deletes all that is stored of a student, our rows in the platform's tables included",
  async run(argv, context) {
    const options = readOptions(argv, { user: 'string', yes: 'boolean' });
    const userId = wholeNumberOption('user', options.user, 1);
    if (options.yes !== true) throw new RelayError('option_invalid', 'this cannot be undone: add --yes');
    const deleted = await withStore(context, async (store, platform) => {
      // A database that cannot be reached ends it here, with everything left as it is.
      await store.ready();
      // What waits here comes first, or it would be stored afterwards.
      const inNats = await withNats(context, async (nats) => {
        if (nats === null) return {};
        const { streamRecords } = await import('../delivery/stream/stream-records.ts');
        return streamRecords(nats).forgetStudent(userId, context.now(), DELIVERED_WITHIN_MS);
      });
      const counts = { ...(await folderRecords(configOf(context).dataDir).forgetStudent(userId)), ...inNats };
      addCounts(counts, await deleteStudent(store, platform.records, userId, context.now(), OPERATOR));
      return counts;
    });
    context.out(JSON.stringify(deleted));
    return 0;
  },
};

/** Makes the role that reads the report views alone. */
export const readerRole: Command = {
  name: 'reader-role',
  usage: '',
  summary: `makes the role ${READER_ROLE}, which may read the report views and nothing else`,
  async run(argv, context) {
    readOptions(argv, {});
    const { mysqlUrl } = configOf(context);
    if (mysqlUrl === null) throw new RelayError('mysql_unset', 'roles are for MySQL: set MYSQL_URL');
    await withStore(context, (store) => store.migrate());
    const connection = await mysql.createConnection(mysqlUrl);
    try {
      const views = await grantReaderRole(connection);
      context.out(`ok: ${READER_ROLE} may read ${views.join(', ')}`);
    } finally {
      await connection.end();
    }
    return 0;
  },
};
