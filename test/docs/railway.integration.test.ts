import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import program, { projectWith } from '../../.railway/railway.ts';
import { gatewayConfigSchema, gatewayEnvironmentSchema } from '../../gateway/config.ts';
import { ensureProgram, NATS_SERVER } from '../../harness/debian-packages.ts';
import { checkable } from '../../harness/nats.ts';
import { inferenceConfigSchema, inferenceEnvironmentSchema } from '../../inference/config.ts';
import { readConfig, variablesOf } from '../../shared/config.ts';
import { cli } from '../support/cli.ts';
import { imageProcess } from '../support/dockerfile.ts';
import { createRailwayContext } from '../support/railway-iac.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

type Value =
  | { type: 'literal'; value: string }
  | { type: 'reference'; resource: string; output: string }
  | { type: 'sharedReference'; name: string };

interface Service {
  name: string;
  address: string;
  type: string;
  build: { builder: string; dockerfilePath: string; watchPatterns: string[] };
  deploy: Record<string, unknown>;
  networking?: object;
  variables: Record<string, Value>;
  volumeAttachments?: Record<string, { mountPath: string }>;
}

async function evaluate(environment: string, gateways?: number): Promise<Map<string, Service>> {
  const { resources } = (gateways === undefined ? program : projectWith(gateways))(
    createRailwayContext({ environment }),
  );
  return new Map(resources.map((resource) => [resource.name, resource as unknown as Service]));
}

let services: Map<string, Service>;

function service(name: string): Service {
  const found = services.get(name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

/** The variables with stand-ins for what Railway fills in. */
function environmentOf(name: string): Record<string, string> {
  const filled = Object.entries(service(name).variables).map(([variable, value]) => {
    if (value.type === 'literal') return [variable, value.value.replace(/\$\{\{[^}]*\}\}/g, 'host.example')];
    if (value.type === 'sharedReference') return [variable, 'c0ffee'.repeat(8)];
    return [variable, value.output === 'MYSQL_URL' ? 'mysql://u:p@mysql.railway.internal:3306/railway' : 'x'];
  });
  return Object.fromEntries(filled) as Record<string, string>;
}

beforeAll(async () => {
  services = await evaluate('production');
});

describe('.railway/railway.ts, evaluated offline', () => {
  it('has the database, inference, the gateway and EyeLearn', () => {
    expect([...services.keys()].sort()).toEqual(['MySQL', 'eyelearn', 'gateway', 'inference']);
  });

  it('every reference names a service that is there and a variable that it has', () => {
    const provided = ['RAILWAY_PUBLIC_DOMAIN', 'RAILWAY_PRIVATE_DOMAIN'];
    const addresses = [...services.values()].map(({ address }) => address);
    let count = 0;
    for (const { variables = {} } of services.values()) {
      for (const value of Object.values(variables)) {
        if (value.type === 'reference') {
          expect(addresses).toContain(value.resource);
          count += 1;
        }
        if (value.type !== 'literal') continue;
        for (const [, name = '', output = ''] of value.value.matchAll(/\$\{\{(\w+)\.(\w+)\}\}/g)) {
          expect([...services.keys()]).toContain(name);
          expect([...provided, ...Object.keys(service(name).variables)]).toContain(output);
          count += 1;
        }
        expect(value.value.replace(/\$\{\{\w+\.\w+\}\}/g, '')).not.toContain('{');
      }
    }
    expect(count).toBeGreaterThanOrEqual(9);
  });

  it("the services take their variables, and know every one but Railway's own", () => {
    for (const [name, schema, environment] of [
      ['gateway', gatewayConfigSchema, gatewayEnvironmentSchema],
      ['inference', inferenceConfigSchema, inferenceEnvironmentSchema],
    ] as const) {
      const env = environmentOf(name);
      const known = variablesOf(environment).map((variable) => variable.name);
      const unknown = Object.keys(env).filter((variable) => !known.includes(variable));
      expect(unknown.filter((variable) => !variable.startsWith('RAILWAY_'))).toEqual([]);
      expect(readConfig<unknown>(schema, env)).toMatchObject({ ok: true, config: { host: '::' } });
    }
  });

  it('the secret is one shared variable on both sides and stands nowhere in the file', () => {
    const shared = { type: 'sharedReference', name: 'RELAY_JWT_SECRET' };
    expect(service('gateway').variables.RELAY_JWT_SECRET).toEqual(shared);
    expect(service('eyelearn').variables.RELAY_JWT_SECRET).toEqual(shared);
  });

  it('the gateway alone migrates, before its release, and finds its volume at DATA_DIR', () => {
    expect(service('gateway').deploy.preDeployCommand).toEqual(['node dist/gateway/cli.mjs migrate']);
    expect(service('inference').deploy).not.toHaveProperty('preDeployCommand');
    const mounts = Object.values(service('gateway').volumeAttachments ?? {}).map(({ mountPath }) => mountPath);
    expect(mounts).toEqual([environmentOf('gateway').DATA_DIR]);
    expect(service('gateway').deploy.numReplicas).toBe(1);
  });

  it('inference has replicas in production, no domain, and is reached on the port that it listens on', async () => {
    expect(service('inference').deploy.numReplicas).toBe(2);
    expect((await evaluate('staging')).get('inference')?.deploy.numReplicas).toBe(1);
    expect(service('inference').networking ?? {}).toEqual({});
    expect(new URL(environmentOf('gateway').INFERENCE_URL ?? '').port).toBe(environmentOf('inference').PORT);
  });

  it.each(['gateway', 'inference'] as const)(
    '%s: checked, drained, asleep when idle, built from its Dockerfile',
    (name) => {
      const { build, deploy } = service(name);
      expect(build).toMatchObject({ builder: 'DOCKERFILE', dockerfilePath: `${name}/Dockerfile` });
      expect(deploy.sleepApplication).toBe(true);
      expect(deploy.healthcheckPath).toMatch(/^\/(healthz|readyz)$/);
      expect(deploy.drainingSeconds).toBeGreaterThanOrEqual(10);
      expect(deploy.overlapSeconds).toBeGreaterThan(0);
      expect(environmentOf(name).PORT).toBe(imageProcess(name).env.PORT);
      for (const pattern of build.watchPatterns) expect(existsSync(at(pattern.replace(/\/\*\*$/, '')))).toBe(true);
    },
  );
});

describe('.railway/railway.ts with more than one gateway', () => {
  let several: Map<string, Service>;
  beforeAll(async () => {
    several = await evaluate('production', 3);
  });

  it('has NATS with its volume, and gateways without one that share it', () => {
    expect([...several.keys()].sort()).toEqual(['MySQL', 'eyelearn', 'gateway', 'inference', 'nats']);
    const [gateway, nats] = [several.get('gateway'), several.get('nats')];
    expect(gateway?.deploy.numReplicas).toBe(3);
    expect(gateway?.volumeAttachments).toEqual({});
    expect(Object.values(nats?.volumeAttachments ?? {}).map(({ mountPath }) => mountPath)).toEqual(['/data']);
    expect(nats?.networking).toBeUndefined();
    const url = gateway?.variables.NATS_URL;
    expect(url?.type === 'literal' && url.value.replace(/\$\{\{[^}]*\}\}/g, 'x')).toBe('nats://relay:x@x:4222');
    expect(nats?.variables.NATS_PASSWORD).toEqual({ type: 'sharedReference', name: 'NATS_PASSWORD' });
  });

  it('starts NATS with a configuration that it takes, and that syncs before it acknowledges', async () => {
    const start = String(several.get('nats')?.deploy.startCommand);
    expect(start).toContain('sync_interval: always');
    const folder = await mkdtemp(join(tmpdir(), 'gaze-relay-railway-'));
    const tried = checkable(start)
      .replaceAll('/tmp/nats.conf', join(folder, 'nats.conf'))
      .replace('exec nats-server', `exec ${ensureProgram(NATS_SERVER)} -t`);
    const environment = { ...process.env, NATS_PASSWORD: 'p4ss' };
    execFileSync('sh', ['-c', tried], { env: environment, stdio: 'pipe' });
    await rm(folder, { recursive: true });
  });
});

describe('docs/railway.md', () => {
  const guide = readFileSync(at('docs/railway.md'), 'utf8');

  it('explains every variable that the file sets, but for those that are defaults', () => {
    for (const name of ['gateway', 'inference', 'eyelearn']) {
      const explained = Object.keys(service(name).variables).filter(
        (variable) => !/^(LOG_LEVEL|DB_\w+)$/.test(variable),
      );
      for (const variable of explained) expect(guide).toContain(`\`${variable}\``);
    }
  });

  it('names files that are there, and commands that the CLI has', async () => {
    const links = [...guide.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) expect(existsSync(at(`docs/${link}`))).toBe(true);
    const commands = [...guide.matchAll(/cli\.mjs ([a-z-]+)/g)].map(([, command = '']) => command);
    const { out } = await cli(['--help']);
    for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
  });
});

describe('railway.toml', () => {
  it('holds nothing that differs between the services', () => {
    const text = readFileSync(at('railway.toml'), 'utf8');
    for (const own of ['startCommand', 'preDeployCommand', 'dockerfilePath', 'numReplicas', 'sleepApplication']) {
      expect(text).not.toContain(`${own} =`);
    }
  });
});
