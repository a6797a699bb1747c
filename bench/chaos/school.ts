import mysql from 'mysql2/promise';
import { createEyelearnDayTables, createEyelearnTables } from '../../harness/eyelearn-schema.ts';
import { type MariaDb, startMariaDb } from '../../harness/mariadb.ts';

const DATABASE = 'chaos';
const FIRST_USER_ID = 1001;
export const MODULE_ID = 1;
/** One student in so many streams frames; inference has two cores beside everything else. */
export const SERVER_MODE_EVERY = 5;
/** After the faults everything is stored within this time. */
export const SETTLE_LIMIT_MS = 120_000;

/** A database of its own with EyeLearn's tables and so many students who have agreed to the camera. */
export async function openSchool(
  students: number,
): Promise<{ readonly database: MariaDb; readonly url: string; readonly userIds: readonly number[] }> {
  const database = await startMariaDb();
  const url = await database.createDatabase(DATABASE);
  const admin = await mysql.createConnection(url);
  await createEyelearnTables(admin, 'full');
  await createEyelearnDayTables(admin, 'both');
  const userIds = Array.from({ length: students }, (_, index) => FIRST_USER_ID + index);
  const rows = userIds.map((id) => [id, `Student ${id}`, 1]);
  await admin.query('INSERT INTO users (id, first_name, camera_agreement_accepted) VALUES ?', [rows]);
  await admin.end();
  return { database, url, userIds };
}
