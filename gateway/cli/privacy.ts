import { writeFile } from 'node:fs/promises';
import mysql from 'mysql2/promise';
import { RelayError } from '../../shared/errors.ts';
import type { Platform } from '../platform.ts';
import { applyRetention } from '../privacy/retention.ts';
import { deleteStudent, exportStudent, writeAudit } from '../privacy/student.ts';
import { grantReaderRole, READER_ROLE } from '../store/mysql/reader-role.ts';
import { openStore } from '../store/open.ts';
import type { MetricsStore } from '../store/port.ts';
import { type CliContext, type Command, configOf, readOptions, terminalLogger, wholeNumberOption } from './command.ts';
import { platformOf } from './platform.ts';

const OPERATOR = { userId: null, role: 'operator' };

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
  summary: 'deletes what is older than RETENTION_DAYS and RETENTION_TOTALS_DAYS; stop it and go on as you like',
  async run(argv, context) {
    const options = readOptions(argv, { 'max-steps': 'string' });
    const maxSteps = wholeNumberOption('max-steps', options['max-steps'], 1, 1_000_000);
    const { retention: rules } = configOf(context);
    if (rules.detailDays === 0 && rules.totalsDays === 0) {
      context.err('nothing is deleted: RETENTION_DAYS and RETENTION_TOTALS_DAYS are 0, which keeps everything');
    }
    const { deleted, isDone } = await withStore(context, (store, platform) =>
      applyRetention(store, platform.records, rules, context.now(), maxSteps),
    );
    context.out(JSON.stringify({ ...deleted, isDone }));
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
    const exported = await withStore(context, async (store) => {
      const line = {
        atMs: context.now(),
        actor: OPERATOR,
        action: 'export_student',
        subjectUserId: userId,
        detail: 'cli',
      };
      await writeAudit(store, [line]);
      return exportStudent(store, userId, context.now());
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
    const deleted = await withStore(context, (store, platform) =>
      deleteStudent(store, platform.records, userId, context.now(), OPERATOR),
    );
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
