import type { Directory, ReportDatabase, Row } from '../reports/database.ts';
import type { Names, ReportStore } from '../reports/port.ts';
import { numberOf, personName, textOrNull } from '../reports/read.ts';
import type { Catalog } from './catalog.ts';

/** What names EyeLearn's tables have in this database. */
export function directoryOf(catalog: Catalog): Directory {
  const has = (table: string, column: string) => catalog.has(table, 'id', column);
  return {
    users: has('users', 'first_name') && has('users', 'last_name'),
    classes: has('users', 'section'),
    modules: has('modules', 'title'),
    sectionTitle: has('module_sections', 'subtitle') ? 'subtitle' : has('module_sections', 'title') ? 'title' : null,
  };
}

function titlesOf(rows: readonly Row[]): ReadonlyMap<number, string> {
  return new Map(
    rows.flatMap((row) => {
      const title = textOrNull(row, 'title');
      return title === null ? [] : [[numberOf(row, 'id'), title] as const];
    }),
  );
}

/** Names of the ids given, as far as the platform's tables have them. */
export async function readNames(database: ReportDatabase, ids: Parameters<ReportStore['names']>[0]): Promise<Names> {
  const directory = await database.directory();
  const find = async (columns: string | null, table: string, wanted: readonly number[]): Promise<readonly Row[]> => {
    const distinct = [...new Set(wanted)];
    if (columns === null || distinct.length === 0) return [];
    const places = distinct.map(() => '?').join(', ');
    return database.rows(`SELECT id, ${columns} FROM ${table} WHERE id IN (${places})`, distinct);
  };
  const people = [
    ...(directory.users ? ['first_name', 'last_name'] : []),
    ...(directory.classes ? ['section AS class_name'] : []),
  ];
  const users = await find(people.length === 0 ? null : people.join(', '), 'users', ids.users);
  const modules = await find(directory.modules ? 'title' : null, 'modules', ids.modules);
  const { sectionTitle } = directory;
  const sections = await find(
    sectionTitle === null ? null : `${sectionTitle} AS title`,
    'module_sections',
    ids.sections,
  );
  return {
    students: new Map(
      users.map((row) => [numberOf(row, 'id'), { name: personName(row), className: textOrNull(row, 'class_name') }]),
    ),
    modules: titlesOf(modules),
    sections: titlesOf(sections),
  };
}
