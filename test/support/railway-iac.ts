/**
 * What .railway/railway.ts uses of `railway/iac`, evaluated as that package (3.11, MIT) does, for the test of the file.
 * The package itself wants Node 22, so npm would warn on Node 20: docs/railway.md says when it is installed.
 */
interface Reference {
  readonly type: 'reference';
  readonly resource: string;
  readonly output: string;
}

interface SharedReference {
  readonly type: 'sharedReference';
  readonly name: string;
}

interface Volume {
  readonly type: 'volume';
  readonly address: string;
  readonly name: string;
}

/** Fields of a service that the file may set: a misspelt one is a type error. */
interface ServiceConfig {
  readonly source:
    | { readonly type: 'github'; readonly repo: string; readonly branch: string }
    | { readonly type: 'image'; readonly image: string };
  readonly start?: string;
  readonly build?: {
    readonly builder: 'DOCKERFILE';
    readonly dockerfilePath: string;
    readonly watchPatterns: string[];
  };
  readonly preDeploy?: string;
  readonly replicas?: number;
  readonly healthcheck?: string;
  readonly healthcheckTimeout?: number;
  readonly deploy?: {
    readonly restartPolicyType: 'ON_FAILURE';
    readonly restartPolicyMaxRetries: number;
    readonly sleepApplication: boolean;
    readonly overlapSeconds: number;
    readonly drainingSeconds: number;
  };
  readonly networking?: { readonly serviceDomains: Readonly<Record<string, { readonly port: number }>> };
  readonly volumeMounts?: Readonly<Record<string, Volume>>;
  readonly env: Readonly<Record<string, string | Reference | SharedReference>>;
}

/** Every property refers to a variable of that resource. */
function variablesOf<Name extends string>(resource: string): Readonly<Record<Name, Reference>> {
  const reference = (output: string): Reference => ({ type: 'reference', resource, output });
  return new Proxy({} as Record<Name, Reference>, {
    get: (_, output) => (typeof output === 'string' ? reference(output) : undefined),
  });
}

type MysqlVariable = 'MYSQL_URL' | 'MYSQLHOST' | 'MYSQLPORT' | 'MYSQLUSER' | 'MYSQLPASSWORD' | 'MYSQLDATABASE';

function withoutUndefined(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

export function github(repo: string) {
  return { type: 'github', repo, branch: 'main' } as const;
}

export function image(name: string) {
  return { type: 'image', image: name } as const;
}

export function volume(name: string): Volume {
  return { type: 'volume', address: `volume.${name}`, name };
}

export function mysql(name: string) {
  const address = `database.${name}`;
  return { type: 'database', address, name, env: variablesOf<MysqlVariable>(address), variables: {} };
}

export function service(name: string, config: ServiceConfig) {
  const address = `service.${name}`;
  const mounts = Object.entries(config.volumeMounts ?? {}).map(([mountPath, mounted]) => [
    mounted.name,
    { volume: mounted.address, mountPath },
  ]);
  return {
    type: 'service',
    address,
    name,
    source: config.source,
    build: config.build,
    deploy: withoutUndefined({
      ...config.deploy,
      startCommand: config.start,
      preDeployCommand: config.preDeploy === undefined ? undefined : [config.preDeploy],
      numReplicas: config.replicas,
      healthcheckPath: config.healthcheck,
      healthcheckTimeout: config.healthcheckTimeout,
    }),
    networking: config.networking,
    volumeAttachments: Object.fromEntries(mounts),
    variables: Object.fromEntries(
      Object.entries(config.env).map(([variable, value]) => [
        variable,
        typeof value === 'string' ? { type: 'literal', value } : value,
      ]),
    ),
  };
}

type Resource = ReturnType<typeof mysql> | ReturnType<typeof service>;

export interface Project {
  readonly name: string;
  readonly resources: readonly Resource[];
}

export function project(name: string, { resources }: { readonly resources: readonly Resource[] }): Project {
  return { name, resources };
}

export function createRailwayContext({ environment }: { readonly environment: string }) {
  const shared = (name: string): SharedReference => ({ type: 'sharedReference', name });
  return {
    isEnvironment: (name: string): boolean => name === environment,
    shared: new Proxy({} as Readonly<Record<'RELAY_JWT_SECRET' | 'NATS_PASSWORD', SharedReference>>, {
      get: (_, name) => (typeof name === 'string' ? shared(name) : undefined),
    }),
  };
}

type Program = (context: ReturnType<typeof createRailwayContext>) => Project;

export function defineRailway(program: Program): Program {
  return program;
}
