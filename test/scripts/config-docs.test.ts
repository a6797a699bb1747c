import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { gatewayConfigSchema, gatewayEnvironmentSchema } from '../../gateway/config.ts';
import { inferenceConfigSchema, inferenceEnvironmentSchema } from '../../inference/config.ts';
import { exampleFile, readmeWithTables } from '../../scripts/config-docs.ts';
import { securityWithTables } from '../../scripts/security-docs.ts';
import { readConfig, variablesOf } from '../../shared/config.ts';

function file(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');
}

const EYELEARN_NAMES = [
  'MYSQL_URL MYSQLHOST MYSQLPORT MYSQLUSER MYSQLPASSWORD MYSQLDATABASE',
  'DB_HOST DB_PORT DB_USER DB_PASS DB_NAME ALLOWED_ORIGINS MAX_FRAME_KB MAX_CLIENT_FPS PORT HOST',
].flatMap((names) => names.split(' '));

describe('documents made from the configuration (npm run config-docs rewrites them)', () => {
  it("README's tables are what the schemas say", () => {
    const readme = file('README.md');
    expect(readmeWithTables(readme)).toBe(readme);
  });

  it('limits and codes of docs/security.md are what the code says', () => {
    const security = file('docs/security.md');
    expect(securityWithTables(security)).toBe(security);
  });

  it('.env.example is what the schemas say', () => {
    expect(file('.env.example')).toBe(exampleFile());
  });

  it('every example is a value that would be taken', () => {
    for (const [environment, schema] of [
      [gatewayEnvironmentSchema, gatewayConfigSchema],
      [inferenceEnvironmentSchema, inferenceConfigSchema],
    ] as const) {
      const env = Object.fromEntries(variablesOf(environment).map(({ name, example }) => [name, example]));
      expect(readConfig<unknown>(schema, env)).toMatchObject({ ok: true });
    }
  });

  it('every line of .env.example can be switched on: names and values survive being read', () => {
    const switchedOn = exampleFile()
      .split('\n')
      .map((line) => line.replace(/^#(?=[A-Z_]+=)/, ''))
      .join('\n');
    const gateway = variablesOf(gatewayEnvironmentSchema).map(({ name, example }) => [name, example]);
    expect(parseEnv(switchedOn)).toMatchObject({
      ...Object.fromEntries(gateway.filter(([name]) => !['HOST', 'PORT', 'LOG_LEVEL'].includes(name ?? ''))),
    });
  });

  it("secrets are marked: the ticket's secret and everything that holds a password", () => {
    const secret = variablesOf(gatewayEnvironmentSchema).filter((variable) => variable.secret === true);
    expect(secret.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['RELAY_JWT_SECRET', 'MYSQL_URL', 'MYSQLPASSWORD', 'DB_PASS']),
    );
  });

  it("takes EyeLearn's names", () => {
    const names = variablesOf(gatewayEnvironmentSchema).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(EYELEARN_NAMES));
  });
});
