import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examineNats } from '../../../gateway/cli/doctor/nats.ts';
import { digestOf } from '../../../gateway/cluster/secret-digest.ts';
import { gatewayConfigSchema } from '../../../gateway/config.ts';
import { natsLink } from '../../../gateway/nats/connection.ts';
import { ORIGIN, SECRET, SILENT } from '../../../harness/gateway.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { readConfig } from '../../../shared/config.ts';

let nats: Nats;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

async function codesOf(env: Readonly<Record<string, string>>): Promise<string[]> {
  const result = readConfig(gatewayConfigSchema, {
    RELAY_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: ORIGIN,
    NATS_URL: nats.url,
    ...env,
  });
  if (!result.ok || result.config.nats === null) throw new Error('the configuration is wrong');
  return (await examineNats(result.config, result.config.nats)).map(({ code }) => code);
}

describe('what the doctor says of NATS', () => {
  it('an old server, one copy, no word on how it syncs', async () => {
    const codes = await codesOf({});
    const { version } = (await (await fetch(`${nats.monitorUrl}/varz`)).json()) as { version: string };
    expect(codes.includes('nats_old')).toBe(Number(version.split('.')[1]) < 10);
    expect(codes).toEqual(expect.arrayContaining(['nats_one_copy', 'nats_sync_unknown']));
  });

  it('reads at the monitoring address how it syncs, and names another gateway’s secret and version', async () => {
    const other = natsLink(
      {
        servers: [`127.0.0.1:${nats.servers[0]?.port}`],
        user: null,
        password: null,
        token: null,
        credsFile: null,
        tls: null,
        replicas: 1,
        prefix: 'gaze',
        monitorUrls: [],
      },
      SILENT,
    );
    const say = (secret: string, version: string) =>
      other.use(async ({ connection }) => {
        const info = { id: secret + version, address: 'http://10.0.0.9:5050', version, secretDigest: digestOf(secret) };
        connection.publish('gaze.gateways.beat', JSON.stringify(info));
      });
    const timer = setInterval(() => void say('another secret', '0.0.9'), 200);
    try {
      const codes = await codesOf({ NATS_MONITOR_URL: nats.monitorUrl });
      expect(codes.filter((code) => code === 'gateways_differ')).toHaveLength(2);
      expect(codes).toContain('nats_not_synced');
    } finally {
      clearInterval(timer);
      await other.close();
    }
  });

  it('a server that syncs always is fine', async () => {
    const monitor = createServer((_request, response) => {
      response.end(
        JSON.stringify({ server_name: 'n1', version: '2.12.2', jetstream: { config: { sync_always: true } } }),
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => monitor.once('listening', resolve));
    const address = monitor.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const codes = await codesOf({ NATS_MONITOR_URL: `http://127.0.0.1:${address.port}` });
    monitor.close();
    expect(codes).not.toContain('nats_not_synced');
    expect(codes).not.toContain('nats_monitor_not_there');
  });

  it('one fault where nothing can be tried: too few servers for three copies, nothing there', async () => {
    expect(await codesOf({ NATS_REPLICAS: '3' })).toEqual(['nats_too_few_servers']);
    expect(await codesOf({ NATS_URL: 'nats://127.0.0.1:1' })).toEqual(['nats_unreachable']);
  });
});
