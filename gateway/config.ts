import * as z from 'zod';
import { linkSecret, oneOf, variable, wholeNumber } from '../shared/config.ts';
import { MODES, RULES } from '../shared/direction.ts';
import { DATABASE_VARIABLES, mysqlUrlOf, unusedPortWarnings } from './database-config.ts';
import { PHP_VARIABLES, phpOf, phpOnlyWarnings } from './eyelearn/php/config.ts';
import { urlWith } from './lib/url-variable.ts';
import { NATS_VARIABLES, natsConflicts, natsOf } from './nats/config.ts';

const LOOPBACK_HOSTS = ['127.0.0.1', '::1', 'localhost'];

/** True for an address that no other machine reaches. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.includes(host);
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
    description: 'the same value as in inference, where one is set',
    example: 'change-me-openssl-rand-hex-32',
    secret: true,
  }),
  ...DATABASE_VARIABLES,
  ...PHP_VARIABLES,
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
      'where observations may be made: `server`, `device` (its observations are trusted as the browser sends them), or `both`',
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
    description:
      'how often running sessions are written to `DATA_DIR`, ms: about as much time as a killed gateway loses',
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
