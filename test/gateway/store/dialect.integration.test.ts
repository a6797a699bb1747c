import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { dimensionViews } from '../../../gateway/eyelearn/dimensions.ts';
import { migrationsFolder, readMigrations } from '../../../gateway/store/migrations.ts';
import { viewStatements } from '../../../gateway/store/views/install.ts';

const GATEWAY = fileURLToPath(new URL('../../../gateway', import.meta.url));

/** What MariaDB takes and MySQL 8 and 9 do not, by their manuals. */
const MARIADB_ALONE: Readonly<Record<string, RegExp>> = {
  'INSERT, DELETE or REPLACE … RETURNING': /\bRETURNING\b/i,
  'IF [NOT] EXISTS on columns and indexes': /\b(COLUMN|INDEX|KEY|CONSTRAINT)\s+IF\s+(NOT\s+)?EXISTS/i,
  'ADD or DROP IF [NOT] EXISTS': /\b(ADD|MODIFY|CHANGE)\s+IF\s+(NOT\s+)?EXISTS/i,
  'CREATE OR REPLACE of tables, indexes, roles, users': /\bCREATE\s+OR\s+REPLACE\s+(?!VIEW\b)/i,
  sequences: /\bCREATE\s+SEQUENCE|\bNEXT\s+VALUE\s+FOR\b|\bNEXTVAL\s*\(/i,
  'system versioning': /\bFOR\s+SYSTEM_TIME\b|\bWITH\s+SYSTEM\s+VERSIONING\b/i,
  'types UUID, INET4, INET6, VECTOR': /`\s+(uuid|inet4|inet6|vector)\b/i,
  'MEDIAN and PERCENTILE functions': /\b(MEDIAN|PERCENTILE_CONT|PERCENTILE_DISC)\s*\(/i,
  'Oracle functions': /\b(NVL|NVL2|DECODE_ORACLE|ADD_MONTHS|TO_CHAR|SYS_GUID)\s*\(/i,
  'LIMIT ROWS EXAMINED': /\bROWS\s+EXAMINED\b/i,
  'SET STATEMENT … FOR': /\bSET\s+STATEMENT\b/i,
  'EXCEPT and INTERSECT, which MySQL has from 8.0.31 on': /\b(EXCEPT|INTERSECT)\b/i,
  'comments for MariaDB': /\/\*M!/,
  'engines Aria and ColumnStore': /\bENGINE\s*=\s*(Aria|ColumnStore|S3)\b/i,
};

/** The other way round: what MySQL takes and MariaDB 10.6 does not. */
const MYSQL_ALONE: Readonly<Record<string, RegExp>> = {
  'LATERAL derived tables': /\bLATERAL\b/i,
  '-> and ->>': /->>?\s*'\$/,
  'row alias of INSERT': /\)\s+AS\s+\w+\s+ON\s+DUPLICATE/i,
  'ANY_VALUE and GROUPING': /\b(ANY_VALUE|GROUPING)\s*\(/i,
  'collations of MySQL 8': /_0900_/,
  'indexes of expressions': /\bINDEX\b[^;]*\(\s*\(/i,
  REGEXP_LIKE: /\bREGEXP_LIKE\s*\(/i,
  'EXPLAIN ANALYZE': /\bEXPLAIN\s+ANALYZE\b/i,
  'VALUES ROW': /\bVALUES\s+ROW\s*\(/i,
};

/** Words reserved in MySQL 8 or 9 and free in MariaDB 10.6: as a name they need quotes. */
const RESERVED = new Set(
  'cube cume_dist dense_rank empty first_value function grouping groups intersect json_table lag last_value lateral lead library manual nth_value ntile of over parallel percent_rank qualify rank row_number system tablesample window'.split(
    ' ',
  ),
);

async function sourcesWithSql(): Promise<Map<string, string>> {
  const files = await readdir(GATEWAY, { recursive: true });
  const chosen = files.filter((file) => /^(store|reports|privacy)\/.*\.ts$/.test(file) && !file.includes('libsql'));
  return new Map(
    await Promise.all(
      chosen.map(async (file) => {
        const text = await readFile(path.join(GATEWAY, file), 'utf8');
        // Literals alone: comments may name what is not used.
        const literals = [...text.matchAll(/`[^`]*`|'[^'\n]*'|"[^"\n]*"/g)].map(([literal]) => literal.slice(1, -1));
        return [
          file,
          literals
            .filter((literal) => /\b(SELECT|INSERT|UPDATE|DELETE|SET|CREATE|GRANT|CAST)\b/.test(literal))
            .join('\n'),
        ] as const;
      }),
    ),
  );
}

async function statements(): Promise<Map<string, string>> {
  const migrations = await readMigrations(migrationsFolder('mysql'));
  const all = new Map(migrations.map(({ tag, statements: sql }) => [tag, sql.join(';\n')]));
  const eyelearn = new Map([
    ['users', new Set(['id', 'first_name', 'last_name', 'section'])],
    ['modules', new Set(['id', 'title'])],
    ['module_sections', new Set(['id', 'subtitle'])],
    ['quiz_results', new Set(['id', 'user_id', 'module_id', 'quiz_id', 'score', 'completion_date', 'percentage'])],
    ['final_quizzes', new Set(['id', 'module_id'])],
    ['retake_results', new Set(['id', 'user_id', 'quiz_id', 'score', 'completion_date'])],
  ]);
  all.set('report views', viewStatements('mysql').join(';\n'));
  all.set('dimension views', dimensionViews({ has: (table) => eyelearn.has(table), tables: new Map() }).join(';\n'));
  return all;
}

describe('the SQL for MySQL 8, 9 and MariaDB 10.6', () => {
  it('has nothing that only one of them takes', async () => {
    const found: string[] = [];
    for (const [where, sql] of [...(await statements()), ...(await sourcesWithSql())]) {
      for (const [what, pattern] of Object.entries({ ...MARIADB_ALONE, ...MYSQL_ALONE })) {
        const match = pattern.exec(sql);
        if (match !== null) found.push(`${where}: ${what} (${match[0]})`);
      }
    }
    expect(found).toEqual([]);
  });

  it('names nothing by a word that MySQL reserves', async () => {
    const found: string[] = [];
    for (const [where, sql] of await statements()) {
      const names = [...sql.matchAll(/\bAS\s+(\w+)|\)\s+(\w+)\s*(?:\n|ON\b|GROUP\b|WHERE\b|$)|\.(\w+)/g)];
      for (const [, ...groups] of names) {
        const name = groups.find((group) => group !== undefined)?.toLowerCase() ?? '';
        if (RESERVED.has(name)) found.push(`${where}: ${name}`);
      }
    }
    expect(found).toEqual([]);
  });

  it('would be caught if it had', () => {
    expect('ALTER TABLE t ADD COLUMN IF NOT EXISTS c INT').toMatch(
      MARIADB_ALONE['IF [NOT] EXISTS on columns and indexes'] ?? /^$/,
    );
    expect('INSERT INTO t VALUES (1) AS new ON DUPLICATE KEY UPDATE').toMatch(
      MYSQL_ALONE['row alias of INSERT'] ?? /^$/,
    );
    expect(RESERVED.has('rank')).toBe(true);
  });
});
