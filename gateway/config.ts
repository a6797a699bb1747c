import * as z from 'zod';
import { linkSecret, oneOf, variable, wholeNumber } from '../shared/config.ts';
import { MODES, RULES } from '../shared/direction.ts';
import { NATS_VARIABLES, natsConflicts, natsOf } from './nats/config.ts';

const LOOPBACK_HOSTS = ['127.0.0.1', '::1', 'localhost'];

/** True for an address that no other machine reaches. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.includes(host);
}

function urlWith(protocols: readonly string[]) {
  return z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

const RETENTION_MESSAGE =
  'must be a whole number of days from 1 to 36500, or the word forever to keep everything forever';

/** Days that data is kept; null forever, undefined where the operator says nothing. */
function retentionDays() {
  const isDays = (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 36_500;
  return z
    .string()
    .refine((text) => text === 'forever' || isDays(text), RETENTION_MESSAGE)
    .transform((text) => (text === 'forever' ? null : Number(text)))
    .optional();
}

const SAME_IN_RAILWAY = "Railway's name for a part of the database's address";
const SAME_IN_EYELEARN = "EyeLearn's name for a part of the database's address";

/** What holds where the operator says nothing, days. */
const DEFAULT_RETENTION = { detailDays: 120, totalsDays: 400 };

/** The gateway's environment variables; README's table and .env.example are made from it. */
export const gatewayEnvironmentSchema = z.object({
  RELAY_JWT_SECRET: variable(z.string().min(32, 'must have at least 32 characters (openssl rand -hex 32)').optional(), {
    description:
      "secret of the tickets that the school's PHP mints, at least 32 characters, the same on both sides; without it: development mode",
    example: 'the output of: openssl rand -hex 32',
    secret: true,
  }),
  RELAY_JWT_SECRET_PREVIOUS: variable(
    z.string().min(32, 'must have at least 32 characters, or be left out').optional(),
    {
      description:
        'the secret before this one, while it is changed: its tickets and tokens are still taken; remove it a day later',
      example: 'the secret that was used before this one',
      secret: true,
    },
  ),
  TICKET_MAX_LIFE_S: variable(wholeNumber(60, 86_400).default(900), {
    description: 'longest time for which a ticket may be valid, s; one that lasts longer is refused',
    example: '900',
  }),
  ALLOWED_ORIGINS: variable(
    z
      .string()
      .transform((text) =>
        text
          .split(',')
          .map((origin) => origin.trim())
          .filter((origin) => origin !== ''),
      )
      .refine(
        (origins) => origins.every(isOrigin),
        'must be a comma-separated list of origins such as https://school.example',
      )
      .optional(),
    {
      description: "origins of the school's pages, comma-separated; needed with a secret",
      example: 'https://school.example',
    },
  ),
  HOST: variable(z.string().optional(), {
    description: 'address to listen on; beyond loopback only with a secret',
    example: '::',
    defaultText: '127.0.0.1, with a secret ::',
  }),
  PORT: variable(wholeNumber(0, 65_535).default(5050), { description: 'port; Railway sets it', example: '5050' }),
  INFERENCE_URL: variable(
    z
      .string()
      .transform((text) => text.split(',').map((url) => url.trim()))
      .refine(
        (urls) =>
          urls.every((url) => URL.canParse(url) && ['http:', 'https:', 'ws:', 'wss:'].includes(new URL(url).protocol)),
        'must be one or more URLs such as http://inference.railway.internal:5051, separated by commas',
      )
      .default(['http://127.0.0.1:5051']),
    {
      description: 'one or more inference addresses, comma-separated',
      example: 'http://inference.railway.internal:5051',
    },
  ),
  INFERENCE_SECRET: variable(linkSecret, {
    description: "inference's `INFERENCE_SECRET`, where it has one",
    example: 'change-me-openssl-rand-hex-32',
    secret: true,
  }),
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
  PHP_ENDPOINT: variable(urlWith(['http:', 'https:']).optional(), {
    description:
      "EyeLearn's `save_enhanced_tracking.php`, asked while the database is unreachable; without it windows wait",
    example: 'http://eyelearn.railway.internal:8080/user/database/save_enhanced_tracking.php',
  }),
  TRACKING_SAVE_URL: variable(urlWith(['http:', 'https:']).optional(), {
    description: "EyeLearn's other name for `PHP_ENDPOINT`",
    example: 'http://eyelearn.railway.internal:8080/user/database/save_enhanced_tracking.php',
  }),
  PHP_TIMEOUT_MS: variable(wholeNumber(100, 60_000).default(10_000), {
    description: 'how long a post to `PHP_ENDPOINT` may take, ms',
    example: '10000',
  }),
  PHP_MIN_SECONDS: variable(wholeNumber(1, 3600).default(30), {
    description: 'least time of a post to `PHP_ENDPOINT`, s, unless a session ends or it has waited for two minutes',
    example: '30',
  }),
  PHP_AFTER_MS: variable(wholeNumber(0, 3_600_000).default(30_000), {
    description: 'how long the database must be unreachable before windows go to `PHP_ENDPOINT`, ms',
    example: '30000',
  }),
  PHP_SETTLE_MS: variable(wholeNumber(1000, 3_600_000).default(60_000), {
    description: 'how old a post with an unknown outcome must be to be settled against the database, ms',
    example: '60000',
  }),
  METRICS_SINK: variable(oneOf(['auto', 'mysql', 'php']).default('auto'), {
    description:
      "what writes EyeLearn's `eye_tracking_sessions`: `auto` (the gateway, `PHP_ENDPOINT` while the database is unreachable), `mysql` (the gateway alone), `php` (`PHP_ENDPOINT` alone)",
    example: 'auto',
  }),
  RETENTION_DAYS: variable(retentionDays(), {
    description:
      'windows and bouts older than this many days are deleted; `forever` keeps them. A database with older data deletes nothing until it is set',
    example: '120',
    defaultText: String(DEFAULT_RETENTION.detailDays),
  }),
  RETENTION_TOTALS_DAYS: variable(retentionDays(), {
    description: 'the same for sessions, hourly totals, calibrations and the audit log',
    example: '400',
    defaultText: String(DEFAULT_RETENTION.totalsDays),
  }),
  ...NATS_VARIABLES,
  GATEWAY_ADDRESS: variable(urlWith(['http:', 'https:']).optional(), {
    description: 'with `NATS_URL`: where the other gateways reach this one, each its own',
    example: 'http://10.0.0.7:5050',
    defaultText: "the machine's own address",
  }),
  DATA_DIR: variable(z.string().default('data'), {
    description: 'folder of the spool and of the embedded database; a volume in production',
    example: '/data',
  }),
  FOCUS_RULE: variable(oneOf(RULES).default('geometric'), {
    description: "`geometric`, or `seed`: the old service's rule as it was",
    example: 'geometric',
  }),
  MIN_GROUP: variable(wholeNumber(2, 1000).default(5), {
    description: 'fewest students of whom a teacher sees figures, where the ticket names neither classes nor modules',
    example: '5',
  }),
  MAX_FRAME_KB: variable(wholeNumber(4, 1024).default(64), { description: 'largest picture taken, kB', example: '64' }),
  MAX_CLIENT_FPS: variable(wholeNumber(1, 30).default(10), {
    description: 'most pictures per second and student',
    example: '10',
  }),
  ALLOWED_MODES: variable(oneOf(['both', 'server', 'device']).default('both'), {
    description:
      'where observations may be made: `server`, `device` (its observations are taken as the browser says), or `both`',
    example: 'both',
  }),
  LATE_MAX_MINUTES: variable(wholeNumber(1, 43_200).default(10_080), {
    description:
      'how late an observation of a device may come after an outage, minutes; a picture may be 10 minutes late',
    example: '10080',
  }),
  MAX_SESSIONS: variable(wholeNumber(1, 100_000).default(5000), {
    description: 'most students at once',
    example: '5000',
  }),
  WINDOW_MS: variable(wholeNumber(1000, 300_000).default(30_000), {
    description: 'length of a metrics window, ms',
    example: '30000',
  }),
  CHECKPOINT_MS: variable(wholeNumber(5, 60_000).default(100), {
    description: 'how often running sessions are written to `DATA_DIR`, ms: about what a killed gateway loses',
    example: '100',
  }),
  RESUME_GRACE_MS: variable(wholeNumber(0, 3_600_000).default(120_000), {
    description: 'how long a session waits for a student who lost the connection, ms',
    example: '120000',
  }),
  IDLE_AFTER_MS: variable(wholeNumber(1000, 3_600_000).default(60_000), {
    description: 'without students for this long, ms, the inference link is closed',
    example: '60000',
  }),
  CLIENT_ADDRESS_HEADER: variable(
    z
      .string()
      .regex(/^[\w-]+$/, 'is the name of a header, such as x-real-ip')
      .optional(),
    {
      description:
        "header in which the proxy in front of the gateway names the client's address; without it the connection's own address counts",
      example: 'x-real-ip',
    },
  ),
  METRICS_TOKEN: variable(
    z
      .string()
      .regex(/^\S{16,}$/, 'must have at least 16 characters and no spaces')
      .optional(),
    {
      description: 'bearer token that opens `/metrics`; without it only the development mode shows them',
      example: 'change-me-openssl-rand-hex-16',
      secret: true,
    },
  ),
  LOG_LEVEL: variable(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'), {
    description: '`trace`, `debug`, `info`, `warn`, `error`, `fatal`, `silent`',
    example: 'info',
  }),
});

type Environment = z.infer<typeof gatewayEnvironmentSchema>;

/** Names of the parts of one database address: host, port, user, password, database. A set is taken whole, the first one given. */
const DATABASE_NAMES = [
  ['MYSQLHOST', 'MYSQLPORT', 'MYSQLUSER', 'MYSQLPASSWORD', 'MYSQLDATABASE'],
  ['MYSQL_HOST', 'MYSQL_PORT', 'MYSQL_USER', 'MYSQL_PASSWORD', 'MYSQL_DATABASE'],
  ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASS', 'DB_NAME'],
] as const satisfies readonly (readonly (keyof Environment)[])[];

interface VariableFault {
  readonly name: string;
  readonly message: string;
}

const PORT_SCHEMA = wholeNumber(1, 65_535);

/** Port variables that hold no port though no part of them is used: container platforms set some by themselves. */
function unusedPortWarnings(env: Environment): string[] {
  const used =
    env.MYSQL_URL === undefined ? DATABASE_NAMES.find(([hostName]) => env[hostName] !== undefined) : undefined;
  return DATABASE_NAMES.filter((names) => names !== used && !PORT_SCHEMA.safeParse(env[names[1]]).success).map(
    ([, portName]) => `${portName} is not a port number; it is not used`,
  );
}

/** An operator who names a database beside PHP as the only way to EyeLearn's rows learns what is fed by which. */
function phpOnlyWarnings(env: Environment, mysqlUrl: string | null): string[] {
  if (env.METRICS_SINK !== 'php' || mysqlUrl === null) return [];
  return [
    "METRICS_SINK is php: eye_tracking_sessions is written by PHP_ENDPOINT alone; our own tables, EyeLearn's tables of days and focus_events are written to the database, and wait while it cannot be written",
  ];
}

function mysqlUrlOf(env: Environment): { url: string | null; fault: VariableFault | null } {
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

/**
 * The way to EyeLearn's rows: PHP alone when there is no database or the operator wants it so, PHP as the way
 * round an unreachable database when both are given.
 */
function phpOf(env: Environment, mysqlUrl: string | null) {
  const url = env.PHP_ENDPOINT ?? env.TRACKING_SAVE_URL;
  if (url === undefined || env.METRICS_SINK === 'mysql') return null;
  const use: 'always' | 'fallback' = env.METRICS_SINK === 'php' || mysqlUrl === null ? 'always' : 'fallback';
  return {
    url,
    use,
    timeoutMs: env.PHP_TIMEOUT_MS,
    minDeltaS: env.PHP_MIN_SECONDS,
    fallbackAfterMs: env.PHP_AFTER_MS,
    settleAfterMs: env.PHP_SETTLE_MS,
  };
}

/**
 * The gateway's configuration from environment variables (README, "Configuration"). Without
 * RELAY_JWT_SECRET it is the development mode: loopback only, tickets for anyone who asks.
 */
export const gatewayConfigSchema = gatewayEnvironmentSchema.transform((env, context) => {
  const development = env.RELAY_JWT_SECRET === undefined;
  const host = env.HOST ?? (development ? '127.0.0.1' : '::');
  const mysql = mysqlUrlOf(env);
  const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (mysql.fault !== null) fault(mysql.fault.name, mysql.fault.message);
  const nats = natsOf(env);
  const php = phpOf(env, mysql.url);
  const conflicts = natsConflicts(nats.nats, mysql.url, php);
  for (const { name, message } of [...nats.faults, ...conflicts.faults]) fault(name, message);
  if (env.METRICS_SINK === 'mysql' && mysql.url === null && mysql.fault === null) {
    fault('METRICS_SINK', 'is mysql, so MYSQL_URL is needed');
  }
  if (env.METRICS_SINK === 'php' && env.PHP_ENDPOINT === undefined && env.TRACKING_SAVE_URL === undefined) {
    fault('METRICS_SINK', 'is php, so PHP_ENDPOINT is needed');
  }
  if (development && !isLoopback(host)) {
    fault('RELAY_JWT_SECRET', `is needed to listen on ${host}: without a secret anyone could write metrics`);
  }
  if (!development && env.ALLOWED_ORIGINS === undefined) {
    fault(
      'ALLOWED_ORIGINS',
      "is needed with RELAY_JWT_SECRET: the origins of the school's pages, such as https://school.example",
    );
  }
  return {
    development,
    host,
    port: env.PORT,
    secret: env.RELAY_JWT_SECRET ?? null,
    previousSecret: env.RELAY_JWT_SECRET_PREVIOUS ?? null,
    ticketMaxLifeS: env.TICKET_MAX_LIFE_S,
    allowedOrigins: env.ALLOWED_ORIGINS ?? [],
    inferenceUrls: env.INFERENCE_URL,
    inferenceSecret: env.INFERENCE_SECRET ?? null,
    mysqlUrl: mysql.url,
    php,
    /** null: this gateway stands alone. */
    nats: nats.nats,
    /** Where other gateways reach this one; null: its network interface says so. */
    gatewayAddress: env.GATEWAY_ADDRESS ?? null,
    retention: {
      detailDays: env.RETENTION_DAYS === undefined ? DEFAULT_RETENTION.detailDays : env.RETENTION_DAYS,
      totalsDays: env.RETENTION_TOTALS_DAYS === undefined ? DEFAULT_RETENTION.totalsDays : env.RETENTION_TOTALS_DAYS,
      /** The operator has set at least one of the two. */
      isChosen: env.RETENTION_DAYS !== undefined || env.RETENTION_TOTALS_DAYS !== undefined,
    },
    dataDir: env.DATA_DIR,
    rule: env.FOCUS_RULE,
    minGroup: env.MIN_GROUP,
    maxFrameBytes: env.MAX_FRAME_KB * 1024,
    maxFps: env.MAX_CLIENT_FPS,
    allowedModes: env.ALLOWED_MODES === 'both' ? MODES : [env.ALLOWED_MODES],
    lateMaxMs: env.LATE_MAX_MINUTES * 60_000,
    maxSessions: env.MAX_SESSIONS,
    windowMs: env.WINDOW_MS,
    checkpointMs: env.CHECKPOINT_MS,
    resumeGraceMs: env.RESUME_GRACE_MS,
    idleAfterMs: env.IDLE_AFTER_MS,
    clientAddressHeader: env.CLIENT_ADDRESS_HEADER ?? null,
    metricsToken: env.METRICS_TOKEN ?? null,
    logLevel: env.LOG_LEVEL,
    /** What is wrong in the environment without harm to the start, a sentence each. */
    warnings: [...unusedPortWarnings(env), ...phpOnlyWarnings(env, mysql.url), ...conflicts.warnings],
  };
});

export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;
