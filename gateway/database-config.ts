import * as z from 'zod';
import { variable, wholeNumber } from '../shared/config.ts';
import { urlWith } from './lib/url-variable.ts';

const SAME_IN_RAILWAY = "Railway's name for a part of the database's address";
const SAME_IN_EYELEARN = "EyeLearn's name for a part of the database's address";

/** Variables of the database's address, as part of the gateway's environment. */
export const DATABASE_VARIABLES = {
  MYSQL_URL: variable(urlWith(['mysql:']).optional(), {
    description:
      "the school's database, `mysql://user:password@host:3306/database`; without any database variable an embedded file is used",
    example: 'mysql://relay:password@mysql.railway.internal:3306/railway',
    secret: true,
  }),
  MYSQLHOST: variable(z.string().optional(), { description: SAME_IN_RAILWAY, example: 'mysql.railway.internal' }),
  MYSQLPORT: variable(z.string().default('3306'), { description: SAME_IN_RAILWAY, example: '3306' }),
  MYSQLUSER: variable(z.string().optional(), { description: SAME_IN_RAILWAY, example: 'relay' }),
  MYSQLPASSWORD: variable(z.string().optional(), { description: SAME_IN_RAILWAY, example: 'password', secret: true }),
  MYSQLDATABASE: variable(z.string().optional(), { description: SAME_IN_RAILWAY, example: 'railway' }),
  MYSQL_HOST: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'db.school.example' }),
  MYSQL_PORT: variable(z.string().default('3306'), { description: SAME_IN_EYELEARN, example: '3306' }),
  MYSQL_USER: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'relay' }),
  MYSQL_PASSWORD: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'password', secret: true }),
  MYSQL_DATABASE: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'elearn_db' }),
  DB_HOST: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'db.school.example' }),
  DB_PORT: variable(z.string().default('3306'), { description: SAME_IN_EYELEARN, example: '3306' }),
  DB_USER: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'relay' }),
  DB_PASS: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'password', secret: true }),
  DB_NAME: variable(z.string().optional(), { description: SAME_IN_EYELEARN, example: 'elearn_db' }),
};

type DatabaseEnvironment = z.infer<z.ZodObject<typeof DATABASE_VARIABLES>>;

/** Names of the parts of one database address: host, port, user, password, database. A set is taken whole, the first one given. */
const DATABASE_NAMES = [
  ['MYSQLHOST', 'MYSQLPORT', 'MYSQLUSER', 'MYSQLPASSWORD', 'MYSQLDATABASE'],
  ['MYSQL_HOST', 'MYSQL_PORT', 'MYSQL_USER', 'MYSQL_PASSWORD', 'MYSQL_DATABASE'],
  ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASS', 'DB_NAME'],
] as const satisfies readonly (readonly (keyof DatabaseEnvironment)[])[];

interface VariableFault {
  readonly name: string;
  readonly message: string;
}

const PORT_SCHEMA = wholeNumber(1, 65_535);

/** Port variables that hold no port though no part of them is used: container platforms set some by themselves. */
export function unusedPortWarnings(env: DatabaseEnvironment): string[] {
  const used =
    env.MYSQL_URL === undefined ? DATABASE_NAMES.find(([hostName]) => env[hostName] !== undefined) : undefined;
  return DATABASE_NAMES.filter((names) => names !== used && !PORT_SCHEMA.safeParse(env[names[1]]).success).map(
    ([, portName]) => `${portName} is not a port number; it is not used`,
  );
}

/** The database's address as a URL; null where none is given, or with the fault that it has. */
export function mysqlUrlOf(env: DatabaseEnvironment): { url: string | null; fault: VariableFault | null } {
  if (env.MYSQL_URL !== undefined) return { url: env.MYSQL_URL, fault: null };
  const given = DATABASE_NAMES.find(([hostName]) => env[hostName] !== undefined);
  if (given === undefined) return { url: null, fault: null };
  const [hostName, portName, userName, passwordName, databaseName] = given;
  const [host = '', port, user, password = '', database] = [
    env[hostName],
    env[portName],
    env[userName],
    env[passwordName],
    env[databaseName],
  ];
  if (user === undefined || database === undefined) {
    const message = `a database host is given, ${userName} and ${databaseName} are needed with it`;
    return { url: null, fault: { name: hostName, message } };
  }
  const checkedPort = PORT_SCHEMA.safeParse(port);
  if (!checkedPort.success) {
    return { url: null, fault: { name: portName, message: checkedPort.error.issues[0]?.message ?? 'is not a port' } };
  }
  const url = new URL('mysql://host');
  url.hostname = host.includes(':') ? `[${host}]` : host;
  url.port = String(port);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { url: url.toString(), fault: null };
}
