import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { examineDataDir } from '../../../gateway/cli/doctor/data-dir.ts';
import type { Finding } from '../../../gateway/cli/doctor/finding.ts';
import { examineNats, isOldServer } from '../../../gateway/cli/doctor/nats.ts';
import { digestOf } from '../../../gateway/cluster/secret-digest.ts';
import { gatewayConfigSchema } from '../../../gateway/config.ts';
import { openStreamQueue } from '../../../gateway/delivery/stream/queue.ts';
import { natsLink } from '../../../gateway/nats/connection.ts';
import { ORIGIN, SECRET, SILENT } from '../../../harness/gateway.ts';
import { type Nats, startNats } from '../../../harness/nats.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { readConfig } from '../../../shared/config.ts';
import { RelayError } from '../../../shared/errors.ts';
import { natsConfig } from '../nats/nats-config.ts';
import { windowSeries } from '../store/windows.ts';

let nats: Nats;
beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats.stop());

async function findings(env: Readonly<Record<string, string>>, nowMs = Date.now()): Promise<Finding[]> {
  const result = readConfig(gatewayConfigSchema, {
    RELAY_JWT_SECRET: SECRET,
    ALLOWED_ORIGINS: ORIGIN,
    NATS_URL: nats.url,
    ...env,
  });
  if (!result.ok || result.config.nats === null) throw new Error('the configuration is wrong');
  return examineNats(result.config, result.config.nats, nowMs);
}

const codesOf = async (env: Readonly<Record<string, string>>) => (await findings(env)).map(({ code }) => code);

/** A monitoring address that answers this, until the test ends. */
async function monitorThatSays(varz: unknown): Promise<string> {
  const monitor = createServer((_request, response) => void response.end(JSON.stringify(varz))).listen(0, '127.0.0.1');
  onTestFinished(() => void monitor.close());
  await once(monitor, 'listening');
  return `http://127.0.0.1:${(monitor.address() as AddressInfo).port}`;
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

  it('names each server that does not sync always, and each address that is no server’s', async () => {
    const monitors = [
      await monitorThatSays({ server_name: 'n1', version: '2.12.2', jetstream: { config: { sync_always: true } } }),
      await monitorThatSays({ server_name: 'n2', version: '2.12.2', jetstream: { config: { sync_interval: 10e9 } } }),
      await monitorThatSays({ server_name: 'n3', version: '2.12.2' }),
      await monitorThatSays({}),
      'http://127.0.0.1:1',
    ];
    const found = await findings({ NATS_MONITOR_URL: monitors.join(',') });
    expect(found.filter(({ code }) => /^nats_(not_synced|monitor)/.test(code)).map(({ code }) => code)).toEqual([
      'nats_not_synced',
      'nats_monitor_not_there',
      'nats_monitor_not_there',
      'nats_monitor_unreachable',
    ]);
    expect(found.find(({ code }) => code === 'nats_not_synced')?.message).toMatch(/^n2 .* every 10 s/);
  });

  it('windows that wait, once they wait for long; and without NATS_URL, that more of them may wait there', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'relay-doctor-'));
    const link = natsLink(natsConfig(nats.url), SILENT);
    const away = () => Promise.reject(new RelayError('store_unreachable', 'the store is unreachable'));
    const store = { applyWindows: away, execute: away };
    const queue = await openStreamQueue({ dataDir, store, nats: link, gatewayId: 'doctor', logger: SILENT });
    const waiting = async (nowMs: number) =>
      (await findings({}, nowMs)).find(({ message }) => message.includes('wait in NATS'));
    try {
      for (const window of windowSeries(2)) await queue.append(window);
      const inStream = () => link.use(async ({ jsm }) => (await jsm.streams.info('gaze_windows')).state.messages);
      await waitFor('both windows in NATS', async () => (await inStream().catch(() => 0)) === 2);
      expect(await waiting(Date.now())).toMatchObject({ code: 'ok', message: expect.stringMatching(/^2 windows/) });
      expect((await waiting(Date.now() + 11 * 60_000))?.code).toBe('nats_windows_wait');
      await queue.close();
      const codes = async (config: Parameters<typeof examineDataDir>[0]) =>
        (await examineDataDir(config, 1)).map(({ code }) => code);
      expect(await codes({ dataDir, nats: null })).toContain('nats_windows_left');
      expect(await codes({ dataDir, nats: natsConfig(nats.url) })).not.toContain('nats_windows_left');
    } finally {
      await queue.close();
      await link.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it.each([
    ['2.9.10', true],
    ['2.10.0', false],
    ['2.12.1', false],
    ['3.0.0', false],
    ['1.4.1', true],
  ])('version %s is too old to sync before it acknowledges: %s', (version, isOld) => {
    expect(isOldServer(version)).toBe(isOld);
  });

  it('one fault where nothing can be tried: too few servers for three copies, nothing there', async () => {
    expect(await codesOf({ NATS_REPLICAS: '3' })).toEqual(['nats_too_few_servers']);
    expect(await codesOf({ NATS_URL: 'nats://127.0.0.1:1' })).toEqual(['nats_unreachable']);
  });
});
