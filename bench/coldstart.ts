import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Clip } from '../harness/clip-player.ts';
import { freePort } from '../harness/free-port.ts';
import { frameMessage, Peer } from '../harness/peer.ts';
import { startGateway, startInference } from '../harness/services.ts';
import { fetchTicket } from '../harness/student.ts';
import { buildClient, buildServices } from '../scripts/build.ts';
import { median, round } from './lib/stats.ts';

const ROUNDS = 7;
const CLIP_PATH = fileURLToPath(new URL('../harness/clips/cap12.mjpeg', import.meta.url));

interface Round {
  /** From the process's start until the gateway answers a request. */
  readonly gatewayAcceptsMs: number;
  /** The same, nothing else starting beside it. */
  readonly gatewayAloneMs: number;
  /** From the process's start until every worker has its models. */
  readonly inferenceReadyMs: number;
  /** Both started at once, nothing warm but the models' cache: until the first frame is answered. */
  readonly firstObservationMs: number;
}

const BASE_ENV = { PATH: process.env.PATH, HOST: '127.0.0.1', LOG_LEVEL: 'silent', MAX_CLIENT_FPS: '30' };
const POLL_MS = 3;
/** Before inference is ready frames are answered at once. Less than twice MAX_CLIENT_FPS a second. */
const FRAME_EVERY_MS = 20;

function roundedMedian(values: readonly number[]): number {
  return round(median(values), 0);
}

/** Asks again and again until the gateway answers. */
async function answers(port: number): Promise<void> {
  while (
    !(await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

interface Ports {
  readonly gateway: number;
  readonly inference: number;
}

/** A gateway with a data folder of its own, as the images start it. */
async function coldGateway(ports: Ports) {
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-cold-'));
  const startedMs = performance.now();
  const starting = startGateway(
    { env: { ...BASE_ENV, PORT: String(ports.gateway), DATA_DIR: dataDir }, log: 'ignore', nodeArguments: [] },
    ports.inference,
  );
  await answers(ports.gateway);
  const acceptsMs = performance.now() - startedMs;
  const end = async () => {
    await (await starting).stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { acceptsMs, end };
}

async function runRound(clip: Clip, ports: Ports): Promise<Round> {
  const alone = await coldGateway(ports);
  await alone.end();
  const startedMs = performance.now();
  const starting = startInference({ env: BASE_ENV, log: 'ignore', nodeArguments: [] }, ports.inference).then(
    (service) => ({ service, ms: performance.now() - startedMs }),
  );
  const gateway = await coldGateway(ports);
  const url = `http://127.0.0.1:${ports.gateway}/`;
  const peer = await Peer.open(url);
  await peer.hello(await fetchTicket(url, 1));
  await peer.start(0, clip.size);
  const { image } = await clip.picture(0, null, 400, { codec: 'jpeg', quality: 0.6, grey: false });
  const firstMs = performance.now();
  for (let seq = 0; ; seq += 1) {
    peer.send(frameMessage(seq, Math.floor(performance.now() - firstMs), image, clip.size));
    if ((await peer.update(seq)).outcome === 'processed') break;
    // Within the rate that the gateway allows for long (PROTOCOL.md, F-9).
    await new Promise((resolve) => setTimeout(resolve, FRAME_EVERY_MS));
  }
  const firstObservationMs = performance.now() - startedMs;
  const inference = await starting;
  await peer.close();
  await Promise.all([gateway.end(), inference.service.stop()]);
  return {
    gatewayAcceptsMs: gateway.acceptsMs,
    gatewayAloneMs: alone.acceptsMs,
    inferenceReadyMs: inference.ms,
    firstObservationMs,
  };
}

/**
 * `npm run bench -- coldstart [--json]`: medians over rounds, services as the images start them. Keys:
 * `gatewayAcceptsMs`, `inferenceReadyMs` and `firstObservationMs` with both starting side by side, `gatewayAloneMs`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  await Promise.all([buildClient(), buildServices()]);
  const clip = await Clip.open(CLIP_PATH, 10);
  const ports = { gateway: await freePort(), inference: await freePort() };
  // The first start converts the models, as the build of an image does.
  await runRound(clip, ports);
  const rounds: Round[] = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push(await runRound(clip, ports));
  const result = {
    gatewayAcceptsMs: roundedMedian(rounds.map((round) => round.gatewayAcceptsMs)),
    gatewayAloneMs: roundedMedian(rounds.map((round) => round.gatewayAloneMs)),
    inferenceReadyMs: roundedMedian(rounds.map((round) => round.inferenceReadyMs)),
    firstObservationMs: roundedMedian(rounds.map((round) => round.firstObservationMs)),
  };
  process.stdout.write(`cold start, median of ${ROUNDS}, both services side by side, Node ${process.version}\n`);
  for (const [name, ms] of Object.entries(result))
    process.stdout.write(`  ${name.padEnd(20)} ${String(ms).padStart(6)} ms\n`);
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
}
