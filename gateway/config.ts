import { z } from 'zod';
import { RULES } from '../shared/direction.ts';

const LOOPBACK_HOSTS = ['127.0.0.1', '::1', 'localhost'];

/** A whole number given as text, within bounds. */
function wholeNumber(min: number, max: number, fallback: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(message).int(message).min(min, message).max(max, message).default(fallback);
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) {
  return z.enum(values, `must be one of ${values.join(', ')}`).default(fallback as never);
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

const environmentSchema = z.object({
  HOST: z.string().optional(),
  PORT: wholeNumber(0, 65_535, 5050),
  RELAY_JWT_SECRET: z.string().min(32, 'must have at least 32 characters (openssl rand -hex 32)').optional(),
  ALLOWED_ORIGINS: z
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
  INFERENCE_URL: z
    .string()
    .transform((text) => text.split(',').map((url) => url.trim()))
    .refine(
      (urls) =>
        urls.every((url) => URL.canParse(url) && ['http:', 'https:', 'ws:', 'wss:'].includes(new URL(url).protocol)),
      'must be one or more URLs such as http://inference.railway.internal:5051, separated by commas',
    )
    .default(['http://127.0.0.1:5051']),
  MYSQL_URL: urlWith(['mysql:']).optional(),
  MYSQLHOST: z.string().optional(),
  MYSQLPORT: wholeNumber(1, 65_535, 3306),
  MYSQLUSER: z.string().optional(),
  MYSQLPASSWORD: z.string().optional(),
  MYSQLDATABASE: z.string().optional(),
  DB_HOST: z.string().optional(),
  DB_PORT: wholeNumber(1, 65_535, 3306),
  DB_USER: z.string().optional(),
  DB_PASS: z.string().optional(),
  DB_NAME: z.string().optional(),
  DATA_DIR: z.string().default('data'),
  FOCUS_RULE: oneOf(RULES, 'geometric'),
  MAX_FRAME_KB: wholeNumber(4, 1024, 64),
  MAX_CLIENT_FPS: wholeNumber(1, 30, 10),
  MAX_SESSIONS: wholeNumber(1, 100_000, 5000),
  WINDOW_MS: wholeNumber(1000, 300_000, 30_000),
  RESUME_GRACE_MS: wholeNumber(0, 3_600_000, 120_000),
  IDLE_AFTER_MS: wholeNumber(1000, 3_600_000, 60_000),
  LOG_LEVEL: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
});

type Environment = z.infer<typeof environmentSchema>;

interface Credentials {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
}

function mysqlUrlOf(env: Environment): { url: string | null; fault: string | null } {
  if (env.MYSQL_URL !== undefined) return { url: env.MYSQL_URL, fault: null };
  const fromRailway: Credentials | null =
    env.MYSQLHOST === undefined
      ? null
      : {
          host: env.MYSQLHOST,
          port: env.MYSQLPORT,
          user: env.MYSQLUSER,
          password: env.MYSQLPASSWORD,
          database: env.MYSQLDATABASE,
        };
  const fromEyeLearn: Credentials | null =
    env.DB_HOST === undefined
      ? null
      : { host: env.DB_HOST, port: env.DB_PORT, user: env.DB_USER, password: env.DB_PASS, database: env.DB_NAME };
  const given = fromRailway ?? fromEyeLearn;
  if (given === null) return { url: null, fault: null };
  if (given.user === undefined || given.database === undefined) {
    const names = fromRailway === null ? 'DB_USER and DB_NAME' : 'MYSQLUSER and MYSQLDATABASE';
    return { url: null, fault: `a database host is given, ${names} are needed with it` };
  }
  const url = new URL('mysql://host');
  url.hostname = given.host.includes(':') ? `[${given.host}]` : given.host;
  url.port = String(given.port);
  url.username = encodeURIComponent(given.user);
  url.password = encodeURIComponent(given.password ?? '');
  url.pathname = `/${encodeURIComponent(given.database)}`;
  return { url: url.toString(), fault: null };
}

/**
 * The gateway's configuration from environment variables (README, "Configuration"). Without
 * RELAY_JWT_SECRET it is the development mode: loopback only, tickets for anyone who asks.
 */
export const gatewayConfigSchema = environmentSchema.transform((env, context) => {
  const development = env.RELAY_JWT_SECRET === undefined;
  const host = env.HOST ?? (development ? '127.0.0.1' : '::');
  const mysql = mysqlUrlOf(env);
  const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (mysql.fault !== null) fault(env.MYSQLHOST === undefined ? 'DB_HOST' : 'MYSQLHOST', mysql.fault);
  if (development && !LOOPBACK_HOSTS.includes(host)) {
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
    allowedOrigins: env.ALLOWED_ORIGINS ?? [],
    inferenceUrls: env.INFERENCE_URL,
    mysqlUrl: mysql.url,
    dataDir: env.DATA_DIR,
    rule: env.FOCUS_RULE,
    maxFrameBytes: env.MAX_FRAME_KB * 1024,
    maxFps: env.MAX_CLIENT_FPS,
    maxSessions: env.MAX_SESSIONS,
    windowMs: env.WINDOW_MS,
    resumeGraceMs: env.RESUME_GRACE_MS,
    idleAfterMs: env.IDLE_AFTER_MS,
    logLevel: env.LOG_LEVEL,
  };
});

export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;
