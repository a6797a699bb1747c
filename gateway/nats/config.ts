import * as z from 'zod';
import { variable } from '../../shared/config.ts';

/** What a gateway needs to reach NATS. */
export interface NatsConfig {
  /** `host:port` of the servers, at least one; all must belong to one cluster. */
  readonly servers: readonly string[];
  readonly user: string | null;
  readonly password: string | null;
  readonly token: string | null;
  readonly credsFile: string | null;
  /** null where no server is `tls://` and no TLS file is given; the server may still ask for TLS, then the system's authorities count. */
  readonly tls: {
    readonly caFile: string | null;
    readonly certFile: string | null;
    readonly keyFile: string | null;
  } | null;
  /** Copies of each stream and bucket. */
  readonly replicas: 1 | 3;
  /** Begin of the names of streams, buckets and subjects. */
  readonly prefix: string;
  readonly monitorUrls: readonly string[];
}

const PROTOCOLS = ['nats:', 'tls:'];
const SERVERS_FOR_THREE_COPIES = 3;

const list = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function everyUrl(protocols: readonly string[]) {
  return (texts: readonly string[]) =>
    texts.length > 0 &&
    texts.every(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol) && new URL(text).hostname !== '',
    );
}

/** Variables of NATS, as part of the gateway's environment. */
export const NATS_VARIABLES = {
  NATS_URL: variable(
    z
      .string()
      .transform(list)
      .refine(
        everyUrl(PROTOCOLS),
        'must be one or more URLs such as nats://user:password@nats.railway.internal:4222, separated by commas',
      )
      .optional(),
    {
      description:
        'NATS servers with JetStream, `nats://` or `tls://`, comma-separated, with `user:password@` or `token@`: any number of gateways share students and windows through them; without it the gateway stands alone',
      example: 'nats://nats.railway.internal:4222',
      secret: true,
    },
  ),
  NATS_CREDS_FILE: variable(z.string().optional(), {
    description: 'file with NATS credentials (JWT and key), where the servers use accounts of that kind',
    example: '/run/secrets/relay.creds',
  }),
  NATS_CA_FILE: variable(z.string().optional(), {
    description: 'certificate authority of the NATS servers, PEM',
    example: '/run/secrets/nats-ca.pem',
  }),
  NATS_CERT_FILE: variable(z.string().optional(), {
    description: "the gateway's own certificate for NATS, PEM, where the servers ask for one",
    example: '/run/secrets/nats-cert.pem',
  }),
  NATS_KEY_FILE: variable(z.string().optional(), {
    description: 'key of `NATS_CERT_FILE`, PEM',
    example: '/run/secrets/nats-key.pem',
  }),
  NATS_REPLICAS: variable(
    z
      .enum(['1', '3'], 'must be 1 or 3')
      .transform((text): 1 | 3 => (text === '3' ? 3 : 1))
      .optional(),
    {
      description: 'copies that NATS keeps of windows and owners: 3 needs three servers or more',
      example: '3',
      defaultText: '3 where NATS_URL names three servers, else 1',
    },
  ),
  NATS_PREFIX: variable(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,32}$/, 'must be 1 to 32 letters, digits, hyphens or underscores')
      .default('gaze'),
    {
      description: 'prefix of the names of streams and buckets, where several installations share the servers',
      example: 'gaze',
    },
  ),
  NATS_MONITOR_URL: variable(
    z
      .string()
      .transform(list)
      .refine(
        everyUrl(['http:', 'https:']),
        'must be one or more URLs such as http://nats.railway.internal:8222, separated by commas',
      )
      .optional(),
    {
      description:
        'monitoring addresses of the NATS servers, comma-separated: doctor reads there how they sync to the disk',
      example: 'http://nats.railway.internal:8222',
    },
  ),
};

type NatsEnvironment = z.infer<z.ZodObject<typeof NATS_VARIABLES>>;

const DEFAULT_PORT = '4222';

/** The configuration of NATS with the faults that one variable alone does not show; null without NATS_URL. */
export function natsOf(env: NatsEnvironment): {
  readonly nats: NatsConfig | null;
  readonly faults: readonly { readonly name: string; readonly message: string }[];
} {
  if (env.NATS_URL === undefined) return { nats: null, faults: [] };
  const urls = env.NATS_URL.map((text) => new URL(text));
  const faults: { name: string; message: string }[] = [];
  const identities = new Set(
    urls.filter(({ username }) => username !== '').map(({ username, password }) => `${username}:${password}`),
  );
  if (identities.size > 1)
    faults.push({ name: 'NATS_URL', message: 'names different users; all servers must take the same one' });
  const named = urls.find(({ username }) => username !== '');
  const hasPassword = named !== undefined && named.password !== '';
  const isTls = urls.some(({ protocol }) => protocol === 'tls:');
  if (isTls && !urls.every(({ protocol }) => protocol === 'tls:')) {
    faults.push({ name: 'NATS_URL', message: 'mixes tls:// and nats://; use tls:// for all servers' });
  }
  if (env.NATS_CREDS_FILE !== undefined && named !== undefined) {
    faults.push({ name: 'NATS_CREDS_FILE', message: 'is given beside a user in NATS_URL; leave one of the two out' });
  }
  if ((env.NATS_CERT_FILE === undefined) !== (env.NATS_KEY_FILE === undefined)) {
    const missing = env.NATS_CERT_FILE === undefined ? 'NATS_CERT_FILE' : 'NATS_KEY_FILE';
    faults.push({ name: missing, message: 'is needed: NATS_CERT_FILE and NATS_KEY_FILE belong together' });
  }
  const files = [env.NATS_CA_FILE, env.NATS_CERT_FILE, env.NATS_KEY_FILE];
  const nats: NatsConfig = {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === '' ? DEFAULT_PORT : port}`),
    user: named !== undefined && hasPassword ? decodeURIComponent(named.username) : null,
    password: named !== undefined && hasPassword ? decodeURIComponent(named.password) : null,
    token: named !== undefined && !hasPassword ? decodeURIComponent(named.username) : null,
    credsFile: env.NATS_CREDS_FILE ?? null,
    tls:
      isTls || files.some((file) => file !== undefined)
        ? { caFile: env.NATS_CA_FILE ?? null, certFile: env.NATS_CERT_FILE ?? null, keyFile: env.NATS_KEY_FILE ?? null }
        : null,
    replicas: env.NATS_REPLICAS ?? (urls.length >= SERVERS_FOR_THREE_COPIES ? 3 : 1),
    prefix: env.NATS_PREFIX,
    monitorUrls: env.NATS_MONITOR_URL ?? [],
  };
  return { nats, faults };
}

/** What does not go together with several gateways: they need one database, which PHP alone is not. */
export function natsConflicts(
  nats: NatsConfig | null,
  mysqlUrl: string | null,
  php: { readonly use: 'always' | 'fallback' } | null,
): {
  readonly faults: readonly { readonly name: string; readonly message: string }[];
  readonly warnings: readonly string[];
} {
  if (nats === null) return { faults: [], warnings: [] };
  const faults =
    php?.use === 'always'
      ? [
          {
            name: 'NATS_URL',
            message:
              'does not go together with PHP as the only way to EyeLearn: give MYSQL_URL, and no METRICS_SINK=php',
          },
        ]
      : [];
  const warnings = [
    ...(mysqlUrl === null
      ? [
          'NATS_URL is set and no database is: each gateway keeps what it delivers in a file of its own; give MYSQL_URL, the same one to all',
        ]
      : []),
  ];
  return { faults, warnings };
}
