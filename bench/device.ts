import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { CDPSession, Page } from 'playwright-core';
import { type LaunchedChromium, launchChromium } from '../harness/chromium.ts';
import { CLIP_FRAMES } from '../harness/clip.ts';
import { openMediapipe } from '../harness/mediapipe-page.ts';
import {
  brotliBytes,
  CANDIDATES,
  type Candidate,
  type CandidateFiles,
  candidateFiles,
  mediapipeFiles,
} from './device/candidates.ts';
import type { DevicePage } from './device/page.ts';
import { PEERS, type PeerName, peerFiles } from './device/peer-files.ts';
import { median, quantile, round } from './lib/stats.ts';

/** CPU slow-downs: 1 is this machine, 4 what Chromium's tools call a slow phone. */
const SLOWDOWNS = [1, 4] as const;
const ROUNDS = 3;
/** Every second frame of the clip: ten seconds at the rate of device mode. */
const FRAMES = CLIP_FRAMES.filter((_, index) => index % 2 === 0).slice(0, 50);
/** A slow link of the targets. */
const LINK_KBPS = 256;
/** Peers are slow: fewer will do. */
const PEER_FRAMES = FRAMES.slice(0, 20);
/** A peer may lose the face now and then. */
const LEAST_FACES = 0.9;
const PATIENT_MS = 120_000;
/** MediaPipe's pictures go through WebGL, which needs a renderer in software here. */
const WEBGL = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

interface Speed {
  /** From nothing, files from this machine, to the first observation. */
  readonly startMs: number;
  /** One picture in tracking: sampling, models, observation. */
  readonly frameMsP50: number;
  readonly frameMsP95: number;
}

interface Figures {
  readonly downloadBytes: number;
  readonly downloadS: number;
  readonly memoryMb: number | null;
  readonly speed: Readonly<Record<string, Speed>>;
}

const TYPES: readonly (readonly [string, string])[] = [
  ['.js', 'text/javascript'],
  ['.mjs', 'text/javascript'],
  ['.wasm', 'application/wasm'],
  ['.json', 'application/json'],
];

function serve(files: CandidateFiles): Promise<Server> {
  const server = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1);
    const bytes = files.get(name);
    if (name === '')
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><script type="module" src="/page.js"></script>');
    else if (bytes === undefined) response.writeHead(404).end();
    else {
      const type = TYPES.find(([ending]) => name.endsWith(ending))?.[1] ?? 'application/octet-stream';
      response.setHeader('content-type', type).end(bytes);
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Resident memory of the browser's page processes, which are this process's descendants; MB, null elsewhere than on Linux. */
function rendererMb(): number | null {
  try {
    const parents = new Map<number, number>();
    const renderers: [number, number][] = [];
    for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        parents.set(pid, Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]));
        const isRenderer = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer');
        if (isRenderer) renderers.push([pid, Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1000]);
      } catch {
        // Ended meanwhile.
      }
    }
    const isOurs = (pid: number): boolean => {
      const parent = parents.get(pid);
      return parent !== undefined && (parent === process.pid || (parent > 1 && isOurs(parent)));
    };
    return renderers.reduce((sum, [pid, mb]) => sum + (isOurs(pid) ? mb : 0), 0);
  } catch {
    return null;
  }
}

function bench(page: Page): Promise<boolean> {
  return page.waitForFunction(() => 'bench' in globalThis).then(() => true);
}

type Global = typeof globalThis & { bench: DevicePage };

/** One candidate's turn in a fresh page: the start, then the clip twice, of which the second counts. */
async function oneRound(browser: LaunchedChromium, url: string, slowdown: number, frames: readonly Uint8Array[]) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENT_MS);
  const devtools: CDPSession = await browser.context.newCDPSession(page);
  try {
    await page.goto(url);
    await bench(page);
    const jpegs = frames.map((frame) => Buffer.from(frame).toString('base64'));
    await page.evaluate((given) => (globalThis as Global).bench.prepare(given), jpegs);
    const beforeMb = rendererMb();
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
    const startMs = await page.evaluate(() => (globalThis as Global).bench.start(''));
    await page.evaluate(() => (globalThis as Global).bench.follow());
    const { lookMs, faces } = await page.evaluate(() => (globalThis as Global).bench.follow());
    if (faces < frames.length * LEAST_FACES) throw new Error(`a face in ${faces} of ${frames.length} frames alone`);
    const afterMb = rendererMb();
    const memoryMb = beforeMb === null || afterMb === null ? null : afterMb - beforeMb;
    return { startMs, lookMs, memoryMb };
  } finally {
    await page.close();
  }
}

type Name = Candidate | PeerName;

function isPeer(name: Name): name is PeerName {
  return PEERS.some((peer) => peer === name);
}

/** A candidate's page, served. */
interface Stage {
  readonly candidate: Name;
  readonly files: CandidateFiles;
  readonly url: string;
  readonly server: Server;
}

async function prepare(candidate: Name): Promise<Stage> {
  const files = isPeer(candidate) ? await peerFiles(candidate) : await candidateFiles(candidate);
  const server = await serve(files);
  return { candidate, files, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

type Round = Awaited<ReturnType<typeof oneRound>>;

function speedOf(rounds: readonly Round[]): Speed {
  const lookMs = rounds.flatMap((each) => each.lookMs);
  return {
    startMs: round(median(rounds.map(({ startMs }) => startMs)), 0),
    frameMsP50: round(median(lookMs), 1),
    frameMsP95: round(quantile(lookMs, 0.95), 1),
  };
}

/** All candidates take turns in every round, so that whatever else the machine does falls on all of them. */
async function measure(
  candidates: readonly Name[],
  { roundCount, frames, args }: { roundCount: number; frames: readonly Uint8Array[]; args?: readonly string[] },
): Promise<Record<string, Figures>> {
  const stages = await Promise.all(candidates.map(prepare));
  const browser = await launchChromium(args === undefined ? {} : { args });
  const rounds: { readonly candidate: Name; readonly slowdown: number; readonly round: Round }[] = [];
  try {
    for (let count = 0; count < roundCount; count++) {
      for (const slowdown of SLOWDOWNS) {
        for (const { candidate, url } of stages) {
          rounds.push({ candidate, slowdown, round: await oneRound(browser, url, slowdown, frames) });
          process.stderr.write(`… ${candidate}, ${slowdown}×\n`);
        }
      }
    }
  } finally {
    await browser.close();
    for (const { server } of stages) server.close();
  }
  const results: Record<string, Figures> = {};
  for (const { candidate, files } of stages) {
    const own = rounds.filter((each) => each.candidate === candidate);
    const memoriesMb = own.flatMap((each) => each.round.memoryMb ?? []);
    const speeds = SLOWDOWNS.map((slowdown) => {
      const slowed = own.filter((each) => each.slowdown === slowdown);
      return [`${slowdown}x`, speedOf(slowed.map((each) => each.round))] as const;
    });
    results[candidate] = {
      ...(await downloadOf(files.values())),
      memoryMb: memoriesMb.length === 0 ? null : round(median(memoriesMb), 0),
      speed: Object.fromEntries(speeds),
    };
  }
  return results;
}

async function downloadOf(files: Iterable<Uint8Array>): Promise<Pick<Figures, 'downloadBytes' | 'downloadS'>> {
  const downloadBytes = await brotliBytes(files);
  return { downloadBytes, downloadS: round((downloadBytes * 8) / (LINK_KBPS * 1000), 0) };
}

/** MediaPipe's own build needs WebGL, in software here, and is not slowed down: its figures are for orientation. */
async function measureMediapipe(): Promise<Figures> {
  const page = await openMediapipe();
  try {
    const startedMs = performance.now();
    await page.prepare(FRAMES);
    const startMs = performance.now() - startedMs;
    await page.msPerFrame();
    const frameMs = await page.msPerFrame();
    return {
      ...(await downloadOf(await mediapipeFiles())),
      memoryMb: null,
      speed: { '1x': { startMs: round(startMs, 0), frameMsP50: round(frameMs, 1), frameMsP95: round(frameMs, 1) } },
    };
  } finally {
    await page.close();
  }
}

function print(results: Readonly<Record<string, Figures>>): void {
  const cell = (value: string | number, width: number) => String(value).padStart(width);
  const line = (name: string, cells: readonly (string | number)[]) =>
    process.stdout.write(`${name.padEnd(18)}${cells.map((each) => cell(each, 12)).join('')}\n`);
  line('', [
    'download',
    `at ${LINK_KBPS} kbit`,
    'memory',
    'start 1x',
    'frame 1x',
    'p95',
    'start 4x',
    'frame 4x',
    'p95',
  ]);
  for (const [name, { downloadBytes, downloadS, memoryMb, speed }] of Object.entries(results)) {
    const times = ['1x', '4x'].flatMap((slowdown) => {
      const given = speed[slowdown];
      return given === undefined
        ? ['–', '–', '–']
        : [`${given.startMs} ms`, `${given.frameMsP50} ms`, `${given.frameMsP95} ms`];
    });
    const memory = memoryMb === null ? '–' : `${memoryMb} MB`;
    line(name, [`${(downloadBytes / 1e6).toFixed(2)} MB`, `${downloadS} s`, memory, ...times]);
  }
}

/**
 * `npm run bench -- device [--json] [--peers]`: runtimes for device mode in Chromium, one thread, the same models and frames; with
 * --peers device mode beside other libraries that find face and eyes, which are fetched into .cache when they are first asked for.
 * The last line with --json is one object: for each runtime `downloadBytes` (brotli), `downloadS` (that on a link of
 * 256 kbit/s), `memoryMb` (what the page's process grows by; null where not measured) and `speed`, which has for `1x`
 * and `4x` CPU slow-down `startMs` (files at hand, to the first observation), `frameMsP50` and `frameMsP95`; and
 * `ratios` to `own`: `download` and `frame1x`.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      rounds: { type: 'string', default: String(ROUNDS) },
    },
  });
  const roundCount = Number(values.rounds);
  const results = values.peers
    ? await measure(['own', ...PEERS], { roundCount, frames: PEER_FRAMES, args: WEBGL })
    : { ...(await measure(CANDIDATES, { roundCount, frames: FRAMES })), mediapipe: await measureMediapipe() };
  const own = results.own;
  const ratios = Object.fromEntries(
    Object.entries(results).map(([name, { downloadBytes, speed }]) => [
      name,
      {
        download: round(downloadBytes / (own?.downloadBytes ?? Number.NaN), 2),
        frame1x: round((speed['1x']?.frameMsP50 ?? Number.NaN) / (own?.speed['1x']?.frameMsP50 ?? Number.NaN), 2),
      },
    ]),
  );
  print(results);
  if (values.json) process.stdout.write(`${JSON.stringify({ runtimes: results, ratios })}\n`);
}
