import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildClient, buildServices } from '../scripts/build.ts';
import { Clip } from '../scripts/demo/clip.ts';
import { fetchTicket } from '../scripts/demo/student.ts';
import { startGateway, startInference } from '../scripts/services.ts';
import { frameMessage, Peer } from '../test/support/peer.ts';

const ROUNDS = 7;
const CLIP_PATH = fileURLToPath(new URL('../test/clips/cap12.mjpeg', import.meta.url));

interface Round {
  /** From the process's start until the gateway answers. */
  readonly gatewayAcceptsMs: number;
  /** From the process's start until every worker has its models. */
  readonly inferenceReadyMs: number;
  /** Both started at once, nothing warm but the models' cache: until the first frame is answered. */
  readonly firstObservationMs: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
}

async function runRound(clip: Clip, port: number): Promise<Round & { port: number }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-cold-'));
  const env = { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'silent', DATA_DIR: dataDir };
  const options = { env, log: 'ignore' } as const;
  const startedMs = performance.now();
  const inferenceReady = startInference(options, port).then((service) => ({
    service,
    ms: performance.now() - startedMs,
  }));
  const gatewayReady = startGateway(options, port).then((service) => ({ service, ms: performance.now() - startedMs }));
  const gateway = await gatewayReady;
  const url = `http://127.0.0.1:${gateway.service.port}/`;
  const peer = await Peer.open(url);
  await peer.hello(await fetchTicket(url, 1));
  await peer.start(0, clip.size);
  const { image } = await clip.picture(0, null, 400, 60);
  const firstMs = performance.now();
  for (let seq = 0; ; seq += 1) {
    peer.send(frameMessage(seq, Math.floor(performance.now() - firstMs), image, clip.size));
    if ((await peer.update(seq)).outcome === 'processed') break;
  }
  const firstObservationMs = performance.now() - startedMs;
  const inference = await inferenceReady;
  await peer.close();
  await Promise.all([gateway.service.stop(), inference.service.stop()]);
  await rm(dataDir, { recursive: true, force: true });
  return {
    gatewayAcceptsMs: gateway.ms,
    inferenceReadyMs: inference.ms,
    firstObservationMs,
    port: inference.service.port,
  };
}

/** `npm run bench -- coldstart [--json]`: medians over rounds; both services start side by side. */
export async function run(argv: readonly string[]): Promise<void> {
  await Promise.all([buildClient(), buildServices()]);
  const clip = await Clip.open(CLIP_PATH, 10);
  const options = { env: { PATH: process.env.PATH, LOG_LEVEL: 'silent', HOST: '127.0.0.1' }, log: 'ignore' } as const;
  // The first start converts the models; its port is used again, so that the gateway knows it in advance.
  const warm = await startInference(options);
  await warm.stop();
  const rounds: Round[] = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push(await runRound(clip, warm.port));
  const result = {
    gatewayAcceptsMs: median(rounds.map((round) => round.gatewayAcceptsMs)),
    inferenceReadyMs: median(rounds.map((round) => round.inferenceReadyMs)),
    firstObservationMs: median(rounds.map((round) => round.firstObservationMs)),
  };
  process.stdout.write(`cold start, median of ${ROUNDS}, both services side by side\n`);
  for (const [name, ms] of Object.entries(result))
    process.stdout.write(`  ${name.padEnd(20)} ${String(ms).padStart(6)} ms\n`);
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
}
