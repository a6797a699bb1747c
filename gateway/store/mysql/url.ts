import { RelayError } from '../../../shared/errors.ts';

/** Where and as whom to connect. */
export interface MysqlConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `verify`: encrypted and the certificate is checked; `encrypt`: encrypted alone; `off`: in the clear. */
  readonly tls: 'off' | 'encrypt' | 'verify';
}

const EXAMPLE = 'mysql://user:password@host:3306/database';

const TLS_BY_SSL_MODE: Readonly<Record<string, MysqlConfig['tls']>> = {
  DISABLED: 'off',
  REQUIRED: 'encrypt',
  VERIFY_CA: 'verify',
  VERIFY_IDENTITY: 'verify',
};

function invalid(what: string): RelayError {
  return new RelayError('mysql_url_invalid', `the MySQL address ${what}`, {
    hint: `it looks like ${EXAMPLE}; special characters in the password are percent-encoded`,
  });
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`has a stray % in its ${what}`);
  }
}

function tlsOf(parameters: URLSearchParams): MysqlConfig['tls'] {
  let tls: MysqlConfig['tls'] = 'off';
  for (const [name, value] of parameters) {
    if (name !== 'ssl-mode') throw invalid(`has the unknown option "${name}"; there is ssl-mode alone`);
    const named = TLS_BY_SSL_MODE[value.toUpperCase()];
    if (named === undefined)
      throw invalid(`has an ssl-mode that is none of ${Object.keys(TLS_BY_SSL_MODE).join(', ')}`);
    tls = named;
  }
  return tls;
}

/**
 * Reads `mysql://user:password@host:port/database[?ssl-mode=…]`. Throws RelayError `mysql_url_invalid`, whose
 * text never repeats the address: there is a password in it.
 */
export function parseMysqlUrl(text: string): MysqlConfig {
  if (!URL.canParse(text)) throw invalid('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'mysql:' && url.protocol !== 'mariadb:') throw invalid('does not begin with mysql://');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw invalid('names no host');
  if (url.username === '') throw invalid('names no user');
  const database = decoded(url.pathname.slice(1), 'database name');
  if (database === '' || database.includes('/')) throw invalid('names no database');
  return {
    host: decoded(host, 'host'),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decoded(url.username, 'user name'),
    password: decoded(url.password, 'password'),
    database,
    tls: tlsOf(url.searchParams),
  };
}
