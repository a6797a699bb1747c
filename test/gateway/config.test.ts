import { describe, expect, it } from 'vitest';
import { gatewayConfigSchema } from '../../gateway/config.ts';
import { readConfig } from '../../shared/config.ts';

const SECRET = 'x'.repeat(32);

function read(env: Record<string, string>) {
  const result = readConfig(gatewayConfigSchema, env);
  if (!result.ok) throw new Error(result.faults.join('\n'));
  return result.config;
}

function faults(env: Record<string, string>): readonly string[] {
  const result = readConfig(gatewayConfigSchema, env);
  return result.ok ? [] : result.faults;
}

describe('gateway configuration', () => {
  it('with nothing set it is the development mode: loopback, embedded store, geometric rule', () => {
    expect(read({})).toMatchObject({
      development: true,
      host: '127.0.0.1',
      port: 5050,
      mysqlUrl: null,
      rule: 'geometric',
    });
  });

  it('with a secret it listens everywhere', () => {
    expect(read({ RELAY_JWT_SECRET: SECRET, ALLOWED_ORIGINS: 'https://a.example, https://b.example' })).toMatchObject({
      development: false,
      host: '::',
      allowedOrigins: ['https://a.example', 'https://b.example'],
    });
  });

  it('lists every fault at once, each with its variable', () => {
    const found = faults({
      PORT: 'http',
      FOCUS_RULE: 'vibes',
      LOG_LEVEL: 'loud',
      INFERENCE_URL: 'nowhere',
      MYSQL_URL: 'postgres://x/y',
    });
    expect(found.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'FOCUS_RULE',
      'INFERENCE_URL',
      'LOG_LEVEL',
      'MYSQL_URL',
      'PORT',
    ]);
  });

  it('does not repeat values: some are secrets', () => {
    expect(faults({ RELAY_JWT_SECRET: 'hunter2' }).join()).not.toContain('hunter2');
  });

  it('keeps data for 120 and 400 days, forever only where configured, and 0 is refused', () => {
    expect(read({}).retention).toEqual({ detailDays: 120, totalsDays: 400, isChosen: false });
    expect(read({ RETENTION_DAYS: 'forever' }).retention).toEqual({
      detailDays: null,
      totalsDays: 400,
      isChosen: true,
    });
    expect(read({ RETENTION_TOTALS_DAYS: '30' }).retention).toMatchObject({ totalsDays: 30, isChosen: true });
    for (const text of ['0', '-1', '1.5', 'never']) {
      expect(faults({ RETENTION_DAYS: text })).toEqual([expect.stringMatching(/^RETENTION_DAYS: .* the word forever/)]);
    }
  });

  it('refuses to listen beyond loopback without a secret', () => {
    expect(faults({ HOST: '0.0.0.0' })[0]).toMatch(/^RELAY_JWT_SECRET/);
  });

  it('wants the origins of the pages together with a secret', () => {
    expect(faults({ RELAY_JWT_SECRET: SECRET })[0]).toMatch(/^ALLOWED_ORIGINS/);
  });

  it('an empty variable counts as not set', () => {
    expect(read({ PORT: '', MYSQL_URL: '' }).port).toBe(5050);
  });

  it.each([
    ['MYSQL_URL', { MYSQL_URL: 'mysql://u:p@h:3307/d' }, 'mysql://u:p@h:3307/d'],
    [
      'Railway names',
      { MYSQLHOST: 'h', MYSQLPORT: '3307', MYSQLUSER: 'u', MYSQLPASSWORD: 'p@:/', MYSQLDATABASE: 'd' },
      'mysql://u:p%40%3A%2F@h:3307/d',
    ],
    [
      "EyeLearn's newer names",
      { MYSQL_HOST: 'h', MYSQL_PORT: '3308', MYSQL_USER: 'u', MYSQL_PASSWORD: 'p', MYSQL_DATABASE: 'd' },
      'mysql://u:p@h:3308/d',
    ],
    [
      'one set, whole: parts of another set are not mixed in',
      { MYSQL_HOST: 'h', MYSQL_USER: 'u', MYSQL_DATABASE: 'd', DB_PORT: '3309', DB_PASS: 'p', MYSQLUSER: 'x' },
      'mysql://u@h:3306/d',
    ],
    ['EyeLearn names', { DB_HOST: 'h', DB_USER: 'u', DB_PASS: 'p', DB_NAME: 'd' }, 'mysql://u:p@h:3306/d'],
  ])('takes the database from %s', (_name, env, url) => {
    expect(read(env).mysqlUrl).toBe(url);
  });

  it('says what is missing beside a database host', () => {
    expect(faults({ MYSQLHOST: 'h' })[0]).toMatch(/MYSQLUSER and MYSQLDATABASE/);
  });

  it('says what PHP writes and what the database gets where both are given and METRICS_SINK is php', () => {
    const php = { METRICS_SINK: 'php', PHP_ENDPOINT: 'http://school.example/save.php' };
    const MYSQL_URL = 'mysql://u:p@h:3306/d';
    expect(read({ ...php, MYSQL_URL })).toMatchObject({ mysqlUrl: MYSQL_URL, php: { use: 'always' } });
    expect(read({ ...php, MYSQL_URL }).warnings).toEqual([
      expect.stringMatching(
        /eye_tracking_sessions is written by PHP_ENDPOINT alone; .*focus_events are written to the database/,
      ),
    ]);
    expect(read(php).warnings).toEqual([]);
  });

  it('a port that container links have set is a warning where it is not used, and a fault where it is', () => {
    const link = { DB_PORT: 'tcp://10.0.0.5:3306' };
    expect(read(link).warnings).toEqual(['DB_PORT is not a port number; it is not used']);
    expect(read({ ...link, MYSQL_URL: 'mysql://u:p@h/d' }).mysqlUrl).toBe('mysql://u:p@h/d');
    expect(faults({ ...link, DB_HOST: 'h', DB_USER: 'u', DB_NAME: 'd' })[0]).toMatch(/^DB_PORT/);
    expect(read({}).warnings).toEqual([]);
  });

  it('without NATS_URL a gateway stands alone; with it servers, user and copies are read', () => {
    expect(read({}).nats).toBeNull();
    expect(read({ NATS_URL: 'nats://relay:a%2Fb@one:1, nats://two' }).nats).toMatchObject({
      servers: ['one:1', 'two:4222'],
      user: 'relay',
      password: 'a/b',
      token: null,
      tls: null,
      replicas: 1,
    });
    expect(read({ NATS_URL: 'tls://token@a,tls://b,tls://c', NATS_CA_FILE: '/ca.pem' }).nats).toMatchObject({
      token: 'token',
      tls: { caFile: '/ca.pem', certFile: null },
      replicas: 3,
    });
  });

  it('says what several gateways lack', () => {
    expect(read({ NATS_URL: 'nats://one' }).warnings).toEqual([expect.stringContaining('give MYSQL_URL')]);
    const withPhp = { NATS_URL: 'nats://one', MYSQL_URL: 'mysql://u:p@h/d', PHP_ENDPOINT: 'http://php/save.php' };
    expect(read(withPhp)).toMatchObject({ warnings: [], php: { use: 'fallback' } });
  });

  it.each([
    [{ NATS_URL: 'http://nats:4222' }, 'NATS_URL'],
    [{ NATS_URL: 'nats://a:b@one,nats://a:c@two' }, 'NATS_URL'],
    [{ NATS_URL: 'nats://one,tls://two' }, 'NATS_URL'],
    [{ NATS_URL: 'nats://a:b@one', NATS_CREDS_FILE: '/relay.creds' }, 'NATS_CREDS_FILE'],
    [{ NATS_URL: 'nats://one', NATS_CERT_FILE: '/cert.pem' }, 'NATS_KEY_FILE'],
    [{ NATS_URL: 'nats://one', NATS_REPLICAS: '2' }, 'NATS_REPLICAS'],
    [{ NATS_URL: 'nats://one', NATS_PREFIX: 'a.b' }, 'NATS_PREFIX'],
    [{ NATS_URL: 'nats://one', PHP_ENDPOINT: 'http://php/save.php' }, 'NATS_URL'],
    [
      {
        NATS_URL: 'nats://one',
        METRICS_SINK: 'php',
        PHP_ENDPOINT: 'http://php/save.php',
        MYSQL_URL: 'mysql://u:p@h/d',
      },
      'NATS_URL',
    ],
    [{ NATS_URL: 'nats://one', NATS_MONITOR_URL: 'nats://one' }, 'NATS_MONITOR_URL'],
  ])('%j is a fault of %s', (env, name) => {
    expect(faults(env).map((fault) => fault.split(':')[0])).toEqual([name]);
  });
});
