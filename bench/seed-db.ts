import { parseArgs } from 'node:util';
import mysql from 'mysql2/promise';
import { pino } from 'pino';
import { eyelearn } from '../gateway/eyelearn/platform.ts';
import { openStore } from '../gateway/store/open.ts';
import { startMariaDb } from '../harness/mariadb.ts';
import { seededRandom } from '../harness/random.ts';
import { FIRST_DAY, fillDatabase, makeSchool } from './seed-db/fill.ts';
import { measureReports, measureViews } from './seed-db/measure.ts';

const USAGE = `npm run seed-db -- [options]
  --students N   students (default 5000)
  --days D       days of study for each (default 120)
  --windows W    windows of 30 s a student has on a day, on average (default 17)
  --mysql URL    an empty database to fill; without it a MariaDB of its own, gone afterwards
  --explain      show how each view's example query runs, and how long it and the dashboard's questions take
`;

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      students: { type: 'string', default: '5000' },
      days: { type: 'string', default: '120' },
      windows: { type: 'string', default: '17' },
      mysql: { type: 'string' },
      explain: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const own =
    values.mysql === undefined
      ? await startMariaDb({
          serverOptions: [
            '--innodb-buffer-pool-size=2G',
            '--innodb-flush-log-at-trx-commit=2',
            '--innodb-log-file-size=1G',
            '--tmp-table-size=256M',
            '--max-heap-table-size=256M',
            '--sort-buffer-size=16M',
          ],
        })
      : null;
  try {
    const url = values.mysql ?? (await own?.createDatabase('seed')) ?? '';
    const connection = await mysql.createConnection({ uri: url, decimalNumbers: true, dateStrings: true });
    try {
      await makeSchool(connection, Number(values.students));
      const logger = pino({ level: 'warn' });
      const { loadStoreHooks } = eyelearn({ php: null }, logger);
      await (await openStore({ mysqlUrl: url, dataDir: '' }, logger, loadStoreHooks)).close();
      await fillDatabase(
        connection,
        { students: Number(values.students), days: Number(values.days), windowsPerDay: Number(values.windows) },
        seededRandom(1),
        (text) => process.stderr.write(`${text}\n`),
      );
      if (values.explain) {
        process.stdout.write(`${await measureViews(connection)}\n\n`);
        process.stdout.write(`${await measureReports(url, FIRST_DAY, Number(values.days))}\n`);
      }
    } finally {
      await connection.end();
    }
  } finally {
    await own?.stop();
  }
}
