import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { gatewayConfigSchema, gatewayEnvironmentSchema } from '../../gateway/config.ts';
import { readConfig, variablesOf } from '../../shared/config.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface ComposeService {
  image: string;
  build?: { context: string; dockerfile: string };
  environment?: Record<string, string>;
  command?: string[];
  volumes?: string[];
  read_only?: boolean;
  profiles?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
}

interface Compose {
  services: Record<string, ComposeService>;
  volumes: Record<string, null>;
}

let compose: Compose;

beforeAll(() => {
  const document = parseDocument(readFileSync(at('compose.yaml'), 'utf8'), { merge: true, strict: true });
  expect(document.errors).toEqual([]);
  expect(document.warnings).toEqual([]);
  compose = document.toJS() as Compose;
});

/** What the engine makes of `${NAME:?why}` and `$$`. */
function interpolate(text: string, given: Record<string, string>): string {
  return text.replace(/\$\{(\w+):\?[^}]*\}/g, (_match, name) => given[name] ?? '').replaceAll('$$', '$');
}

describe('compose.yaml', () => {
  it('has gateway, inference, MySQL and the migration that runs once before the gateway, and a profile for several', () => {
    const plain = Object.entries(compose.services).filter(([, { profiles }]) => profiles === undefined);
    expect(plain.map(([name]) => name).sort()).toEqual(['gateway', 'inference', 'migrate', 'mysql']);
    const cluster = Object.entries(compose.services).filter(([, { profiles }]) => profiles?.includes('cluster'));
    expect(cluster.map(([name]) => name).sort()).toEqual(['cluster-gateway', 'nats1', 'nats2', 'nats3', 'proxy']);
    expect(compose.services.gateway?.depends_on?.migrate?.condition).toBe('service_completed_successfully');
    expect(compose.services.migrate?.command).toEqual(['node', 'dist/gateway/cli.mjs', 'migrate']);
  });

  it('waits only for services that are there, and for health only where there is a check', () => {
    for (const { depends_on: others = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(others)) {
        const other = compose.services[name];
        expect(other).toBeDefined();
        const dockerfile = other?.build === undefined ? '' : readFileSync(at(other.build.dockerfile), 'utf8');
        if (condition === 'service_healthy')
          expect(other?.healthcheck ?? /^HEALTHCHECK/m.exec(dockerfile)).not.toBeNull();
      }
    }
  });

  it('builds from files that are there, and mounts volumes that it names', () => {
    for (const { build, volumes = [] } of Object.values(compose.services)) {
      if (build !== undefined) expect(existsSync(at(`${build.context}/${build.dockerfile}`))).toBe(true);
      // One without a name is the container's own.
      const named = volumes.map((volume) => volume.split(':')[0]).filter((name) => name?.startsWith('/') === false);
      for (const volume of named) expect(Object.keys(compose.volumes)).toContain(volume);
    }
  });

  it("sets variables that the gateway knows, and it takes them; one database user's password on both sides", () => {
    const secrets = {
      RELAY_JWT_SECRET: 'c0ffee'.repeat(8),
      ALLOWED_ORIGINS: 'https://school.example',
      MYSQL_PASSWORD: 'p4ss',
      MYSQL_ROOT_PASSWORD: 'r00t',
    };
    const raw = compose.services.gateway?.environment ?? {};
    const env = Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, interpolate(value, secrets)]));
    const known = variablesOf(gatewayEnvironmentSchema).map(({ name }) => name);
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([]);
    expect(readConfig<unknown>(gatewayConfigSchema, env)).toMatchObject({
      ok: true,
      config: { mysqlUrl: 'mysql://relay:p4ss@mysql:3306/relay', inferenceUrls: ['http://inference:5051'] },
    });
    expect(compose.services.mysql?.environment).toMatchObject({ MYSQL_USER: 'relay', MYSQL_DATABASE: 'relay' });
    expect(compose.services.migrate?.environment).toEqual(raw);
  });

  it('our services cannot write to their root, and the gateway alone is reached from outside', () => {
    for (const name of ['gateway', 'cluster-gateway', 'inference', 'migrate'])
      expect(compose.services[name]?.read_only).toBe(true);
    const open = Object.entries(compose.services).filter(([, { ports = [] }]) => ports.length > 0);
    expect(open.map(([name]) => name)).toEqual(['gateway', 'proxy']);
  });
});
