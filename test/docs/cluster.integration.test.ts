import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments, parseDocument } from 'yaml';
import { gatewayConfigSchema, gatewayEnvironmentSchema } from '../../gateway/config.ts';
import { ensureProgram, HAPROXY, NATS_SERVER } from '../../harness/debian-packages.ts';
import { checkable } from '../../harness/nats.ts';
import { readConfig, variablesOf } from '../../shared/config.ts';

const at = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly command?: readonly string[];
  readonly readinessProbe?: object;
  readonly livenessProbe?: object;
  readonly resources?: object;
  readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
    };
  };
}

let folder: string;
let manifests: Manifest[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gaze-relay-cluster-'));
  const kustomization = parseDocument(readFileSync(at('kubernetes/kustomization.yaml'), 'utf8')).toJS() as {
    resources: string[];
  };
  manifests = kustomization.resources.flatMap((file) => {
    const documents = parseAllDocuments(readFileSync(at(`kubernetes/${file}`), 'utf8'), { strict: true });
    return documents.map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Manifest;
    });
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function find(kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

/** Has nats-server read a configuration; throws where it does not take it. */
async function readByNats(configuration: string): Promise<void> {
  const file = path.join(folder, 'nats.conf');
  await writeFile(file, checkable(configuration));
  const env = { ...process.env, POD_NAME: 'nats-0', NATS_NAME: 'nats1', NATS_PASSWORD: 'p4ss' };
  execFileSync(ensureProgram(NATS_SERVER), ['-t', '-c', file], { env, stdio: 'pipe' });
}

describe('kubernetes/', () => {
  it('has gateways, inference and three NATS servers, each with probes, limits and a budget for disruptions', () => {
    for (const [kind, name] of [
      ['Deployment', 'gateway'],
      ['Deployment', 'inference'],
      ['StatefulSet', 'nats'],
    ] as const) {
      const { spec } = find(kind, name);
      const labels = spec?.template?.metadata.labels;
      expect(labels).toEqual(spec?.selector?.matchLabels);
      expect(find('PodDisruptionBudget', name).spec?.selector?.matchLabels).toEqual(labels);
      for (const container of spec?.template?.spec.containers ?? []) {
        expect(container.readinessProbe).toBeDefined();
        expect(container.livenessProbe).toBeDefined();
        expect(container.resources).toBeDefined();
        expect(container.securityContext?.readOnlyRootFilesystem).toBe(true);
      }
    }
    expect(find('StatefulSet', 'nats').spec?.replicas).toBe(3);
  });

  it('scales what is there', () => {
    for (const { kind, spec } of manifests) {
      if (kind !== 'HorizontalPodAutoscaler') continue;
      expect(find(spec?.scaleTargetRef?.kind ?? '', spec?.scaleTargetRef?.name ?? '')).toBeDefined();
    }
  });

  it('gives the gateway variables that it knows and takes', () => {
    const pod = find('Deployment', 'gateway').spec?.template?.spec;
    const [container] = pod?.containers ?? [];
    const given = Object.fromEntries(
      (container?.env ?? []).map(({ name, value }) => [name, value ?? 'c0ffee'.repeat(8)]),
    );
    const filled = (text: string) => text.replace(/\$\((\w+)\)/g, (_all, name: string) => given[name] ?? '');
    const env = {
      ...find('ConfigMap', 'gateway').data,
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, filled(value)])),
      MYSQL_URL: 'mysql://relay:password@mysql:3306/relay',
    };
    const known = variablesOf(gatewayEnvironmentSchema).map(({ name }) => name);
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual(['POD_IP', 'NATS_PASSWORD']);
    expect(readConfig<unknown>(gatewayConfigSchema, { ...env, GATEWAY_ADDRESS: 'http://10.0.0.1:5050' })).toMatchObject(
      {
        ok: true,
        config: {
          nats: { servers: ['nats-0.nats:4222', 'nats-1.nats:4222', 'nats-2.nats:4222'], replicas: 3 },
          warnings: [],
        },
      },
    );
    expect(pod?.initContainers?.[0]?.command).toEqual(['node', 'dist/gateway/cli.mjs', 'migrate']);
  });

  it('starts NATS with a configuration that it takes, and that syncs before it acknowledges', async () => {
    const configuration = find('ConfigMap', 'nats').data?.['nats.conf'] ?? '';
    expect(configuration).toContain('sync_interval: always');
    await readByNats(configuration);
  });
});

describe('the profile "cluster" of compose.yaml', () => {
  const compose = parseDocument(readFileSync(at('compose.yaml'), 'utf8'), { merge: true }).toJS() as {
    configs: Record<string, { content: string }>;
    services: Record<string, { environment?: Record<string, string>; deploy?: { replicas: number } }>;
  };

  it('has configurations that NATS and HAProxy take', async () => {
    await readByNats((compose.configs.nats?.content ?? '').replaceAll('$$', '$'));
    const file = path.join(folder, 'haproxy.cfg');
    await writeFile(file, compose.configs.haproxy?.content ?? '');
    execFileSync(ensureProgram(HAPROXY), ['-c', '-f', file], { stdio: 'pipe' });
  });

  it('gives three gateways variables that they take', () => {
    const { environment = {}, deploy } = compose.services['cluster-gateway'] ?? {};
    expect(deploy?.replicas).toBe(3);
    const env = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{(\w+):[^}]*\}/g, 'p4ss'.repeat(8))]),
    );
    expect(
      readConfig<unknown>(gatewayConfigSchema, { ...env, ALLOWED_ORIGINS: 'https://school.example' }),
    ).toMatchObject({
      ok: true,
      config: { nats: { servers: ['nats1:4222', 'nats2:4222', 'nats3:4222'], replicas: 3 }, warnings: [] },
    });
  });
});
