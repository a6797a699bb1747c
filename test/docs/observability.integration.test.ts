import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts';
import { type Nats, startNats } from '../../harness/nats.ts';
import { frameMessage, Peer } from '../../harness/peer.ts';
import { type Service, startInference } from '../../harness/services.ts';

const DOCS = new URL('../../docs/observability/', import.meta.url);
const TOKEN = 'scraper-token-of-the-tests';

let gateway: TestGateway;
let inference: Service;
let nats: Nats;
let exported: Set<string>;

/** Metric names that a page declares; a histogram also has its _bucket, _sum and _count. */
async function namesOf(url: string): Promise<string[]> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
  const types = [...(await response.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return types.flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
}

function namesIn(expression: string): string[] {
  return expression.match(/\bgaze_(?:relay|inference)_\w+/g) ?? [];
}

beforeAll(async () => {
  inference = await startInference({ env: { PATH: process.env.PATH, LOG_LEVEL: 'error' }, log: 'ignore' });
  nats = await startNats();
  gateway = await startTestGateway({
    METRICS_TOKEN: TOKEN,
    INFERENCE_URL: `http://127.0.0.1:${inference.port}`,
    NATS_URL: nats.url,
  });
  exported = new Set([
    ...(await namesOf(new URL('/metrics', gateway.url).href)),
    ...(await namesOf(`http://127.0.0.1:${inference.port}/metrics`)),
  ]);
});

afterAll(async () => {
  await gateway?.dispose();
  await inference?.stop();
  await nats?.stop();
});

describe('dashboard and alerts', () => {
  it('the dashboard asks for metrics that exist, and leaves none of ours out', async () => {
    const dashboard = JSON.parse(await readFile(fileURLToPath(new URL('grafana.json', DOCS)), 'utf8')) as {
      panels: { targets: { expr: string }[] }[];
    };
    const used = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr)));
    expect(used.length).toBeGreaterThan(15);
    expect(used.filter((name) => !exported.has(name))).toEqual([]);
  });

  it('every alert asks for metrics that exist and says what to do', async () => {
    const rules = parse(await readFile(fileURLToPath(new URL('alerts.yml', DOCS)), 'utf8')) as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
    };
    const alerts = rules.groups.flatMap((group) => group.rules);
    expect(alerts.length).toBeGreaterThan(4);
    for (const { expr, annotations } of alerts) {
      expect(namesIn(expr).filter((name) => !exported.has(name))).toEqual([]);
      expect(annotations.summary.length).toBeGreaterThan(20);
    }
  });

  it('inference counts what it answers', async () => {
    const peer = await Peer.open(gateway.url);
    await peer.hello(await gateway.ticket(1));
    await peer.start();
    let seq = 0;
    const refused = async () => {
      peer.send(frameMessage(seq, seq * 10, Uint8Array.of(1, 2, 3, seq)));
      return (await peer.update(seq++)).outcome === 'refused';
    };
    while (!(await refused()));
    const page = await (await fetch(`http://127.0.0.1:${inference.port}/metrics`)).text();
    expect(page).toMatch(/gaze_inference_answers_total\{status="imageFormat"\} 1/);
    await peer.close();
  });
});
