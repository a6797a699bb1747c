import { defineRailway, github, image, mysql, project, service, volume } from 'railway/iac';

// Yours to change.
/** Repositories that Railway builds from. */
const REPOSITORY = 'your-name/gaze-relay';
const PHP_REPOSITORY = 'your-name/eyelearn';
/** The gateway's domain once it has one (docs/railway.md, step 5), so that no later plan removes it. */
const GATEWAY_DOMAIN: string = '';

/**
 * The number of gateways. A single one keeps windows that wait for the database on its volume. Several share them through NATS,
 * which is then a service of the project: set the shared variable NATS_PASSWORD first (docs/railway.md, "More gateways").
 */
const GATEWAYS: number = 1;

/** Files of both services: a change of any of them deploys both again. */
const COMMON_FILES = ['shared/**', 'scripts/**', 'package.json', 'package-lock.json', '.npmrc', '.dockerignore'];

/** A variable of another service, filled in by Railway. */
function variableOf(name: string, variable: string): string {
  return `\${{${name}.${variable}}}`;
}

const RESTART = { restartPolicyType: 'ON_FAILURE', restartPolicyMaxRetries: 10 } as const;

/** Configuration of NATS: an acknowledged window is on its volume. It has no quotes because it is quoted in the start command. */
const NATS_CONFIGURATION =
  'jetstream { store_dir: /data, sync_interval: always }\\nauthorization { user: relay, password: $NATS_PASSWORD }';

/** The project with a number of gateways. */
export const projectWith = (gateways: number) =>
  defineRailway((context) => {
    const isProduction = context.isEnvironment('production');
    const database = mysql('MySQL');

    const inference = service('inference', {
      source: github(REPOSITORY),
      build: {
        builder: 'DOCKERFILE',
        dockerfilePath: 'inference/Dockerfile',
        watchPatterns: [...COMMON_FILES, 'inference/**'],
      },
      // It is stateless: any replica can serve any picture.
      replicas: isProduction ? 2 : 1,
      healthcheck: '/readyz',
      healthcheckTimeout: 60,
      deploy: { ...RESTART, sleepApplication: true, overlapSeconds: 5, drainingSeconds: 10 },
      // No domain: the link has no authentication and is meant for the private network only.
      env: { HOST: '::', PORT: '5051', LOG_LEVEL: 'info' },
    });

    const nats = service('nats', {
      source: image('nats:2.12-alpine'),
      start: `sh -c "printf '${NATS_CONFIGURATION}' > /tmp/nats.conf && exec nats-server --addr :: --port 4222 --http_port 8222 --config /tmp/nats.conf"`,
      replicas: 1,
      // Asleep it would lose the gateways' leases; without students it costs almost nothing.
      deploy: { ...RESTART, sleepApplication: false, overlapSeconds: 0, drainingSeconds: 20 },
      volumeMounts: { '/data': volume('nats') },
      // No domain: only the gateways use it.
      env: { NATS_PASSWORD: context.shared.NATS_PASSWORD, RAILWAY_RUN_UID: '0' },
    });
    const isAlone = gateways === 1;

    const gateway = service('gateway', {
      source: github(REPOSITORY),
      build: {
        builder: 'DOCKERFILE',
        dockerfilePath: 'gateway/Dockerfile',
        watchPatterns: [...COMMON_FILES, 'gateway/**', 'client/**', 'migrations/**'],
      },
      // The only service that changes the database's tables, before its new release starts.
      preDeploy: 'node dist/gateway/cli.mjs migrate',
      // A volume belongs to one replica.
      replicas: gateways,
      healthcheck: '/readyz',
      healthcheckTimeout: 60,
      // Draining must be longer than asking students to reconnect and storing what is counted.
      deploy: { ...RESTART, sleepApplication: true, overlapSeconds: 5, drainingSeconds: 20 },
      ...(GATEWAY_DOMAIN === '' ? {} : { networking: { serviceDomains: { [GATEWAY_DOMAIN]: { port: 5050 } } } }),
      ...(isAlone ? { volumeMounts: { '/data': volume('gateway-spool') } } : {}),
      env: {
        HOST: '::',
        PORT: '5050',
        DATA_DIR: '/data',
        // Railway mounts volumes as root's.
        RAILWAY_RUN_UID: '0',
        RELAY_JWT_SECRET: context.shared.RELAY_JWT_SECRET,
        ALLOWED_ORIGINS: `https://${variableOf('eyelearn', 'RAILWAY_PUBLIC_DOMAIN')}`,
        // Railway's proxy stands in front of every student.
        CLIENT_ADDRESS_HEADER: 'x-real-ip',
        INFERENCE_URL: `http://${variableOf('inference', 'RAILWAY_PRIVATE_DOMAIN')}:5051`,
        MYSQL_URL: database.env.MYSQL_URL,
        PHP_ENDPOINT: `https://${variableOf('eyelearn', 'RAILWAY_PUBLIC_DOMAIN')}/user/database/save_enhanced_tracking.php`,
        ...(isAlone
          ? {}
          : {
              NATS_URL: `nats://relay:${variableOf('nats', 'NATS_PASSWORD')}@${variableOf('nats', 'RAILWAY_PRIVATE_DOMAIN')}:4222`,
              NATS_MONITOR_URL: `http://${variableOf('nats', 'RAILWAY_PRIVATE_DOMAIN')}:8222`,
            }),
        LOG_LEVEL: 'info',
      },
    });

    // EyeLearn itself. Where it is already deployed, keep what `railway config pull` writes instead of this.
    const eyelearn = service('eyelearn', {
      source: github(PHP_REPOSITORY),
      env: {
        RELAY_JWT_SECRET: context.shared.RELAY_JWT_SECRET,
        RELAY_GATEWAY_URL: `https://${variableOf('gateway', 'RAILWAY_PUBLIC_DOMAIN')}`,
        DB_HOST: database.env.MYSQLHOST,
        DB_PORT: database.env.MYSQLPORT,
        DB_USER: database.env.MYSQLUSER,
        DB_PASS: database.env.MYSQLPASSWORD,
        DB_NAME: database.env.MYSQLDATABASE,
      },
    });

    const resources = [database, inference, gateway, eyelearn];
    return project('eyelearn', { resources: isAlone ? resources : [...resources, nats] });
  });

/** The whole project: `railway config plan` shows what this would change, `railway config apply` changes it. */
export default projectWith(GATEWAYS);
