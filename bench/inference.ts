import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadModels } from '../inference/models/store.ts';
import { buildServices } from '../scripts/build.ts';
import { prepareModels } from '../scripts/models/prepare.ts';
import { measureCold, PAUSES_MS } from './lib/cold.ts';
import { CASES, prepareFrames, type Requests } from './lib/frames.ts';
import { measureCorePeak, meshMacs } from './lib/limit.ts';
import { openPeers } from './lib/peers.ts';
import { pace, type Service, saturate, slowestHealth, startService, teach } from './lib/service.ts';
import { measureFrames } from './lib/stages.ts';
import { median, quantile, round } from './lib/stats.ts';

/** The issue of the service under load; medians over runs of it. */
interface ServiceFigures {
  readonly workers: number;
  readonly observationsPerSecond: number;
  readonly cpuMsEach: number | null;
  readonly healthMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly coldStartMs: number;
  readonly rssMbStart: number | null;
  readonly rssMbEnd: number | null;
  readonly school: SchoolFigures;
}

/** A school of students who send their pictures at moments of their own; medians over runs of it. */
interface SchoolFigures {
  /** Of the whole process, an observation; null where there is no /proc. */
  readonly cpuMs: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const SCHOOL = { students: 50, perSecond: 5 };
const LOAD_RUNS = 3;
const COLD_STARTS = 3;
/** Share of the highest rate at which latency is measured. */
const STEADY_LOAD = 0.7;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What is going on; on stderr, so that the table stays whole. */
function progress(line: string): void {
  process.stderr.write(`… ${line}\n`);
}

async function measureConversion(): Promise<number> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'gaze-relay-bench-'));
  const startedMs = performance.now();
  await prepareModels({ folder: cacheDir });
  const ms = performance.now() - startedMs;
  await rm(cacheDir, { recursive: true });
  return ms;
}

async function measureSchool(service: Service, requests: Requests['page192'], forMs: number): Promise<SchoolFigures> {
  await teach(service.port, requests, { ...SCHOOL, forMs });
  const cpuMs: number[] = [];
  const [p50s, p99s]: [number[], number[]] = [[], []];
  for (let turn = 1; turn <= LOAD_RUNS; turn++) {
    progress(`a school of ${SCHOOL.students}, ${turn} of ${LOAD_RUNS}`);
    const before = await service.cpuMs();
    const latencies = await teach(service.port, requests, { ...SCHOOL, forMs });
    const after = await service.cpuMs();
    if (before !== null && after !== null) cpuMs.push((after - before) / latencies.length);
    p50s.push(quantile(latencies, 0.5));
    p99s.push(quantile(latencies, 0.99));
  }
  return { cpuMs: cpuMs.length === 0 ? null : median(cpuMs), p50Ms: median(p50s), p99Ms: median(p99s) };
}

async function measureService({ crop224, page192 }: Requests, forMs: number): Promise<ServiceFigures> {
  await buildServices();
  const workers = availableParallelism();
  const starts: number[] = [];
  for (let start = 1; start < COLD_STARTS; start++) {
    const service = await startService(workers);
    starts.push(service.readyMs);
    await service.end();
  }
  const service = await startService(workers);
  starts.push(service.readyMs);
  await saturate(service.port, crop224, workers * 2, forMs / 2);
  const rssMbStart = await service.rssMb();
  const rates: number[] = [];
  const cpuMsEach: number[] = [];
  const [p50s, p99s]: [number[], number[]] = [[], []];
  let healthMs = 0;
  for (let turn = 1; turn <= LOAD_RUNS; turn++) {
    progress(`service under load, ${turn} of ${LOAD_RUNS}`);
    const cpuBefore = await service.cpuMs();
    const slowestMs = await slowestHealth(service.port, async () => {
      rates.push(await saturate(service.port, crop224, workers * 3, forMs));
    });
    const cpuAfter = await service.cpuMs();
    const perSecond = rates.at(-1) ?? Number.NaN;
    healthMs = Math.max(healthMs, slowestMs);
    if (cpuBefore !== null && cpuAfter !== null) cpuMsEach.push((cpuAfter - cpuBefore) / ((perSecond * forMs) / 1000));
    const latencies = await pace(service.port, crop224, perSecond * STEADY_LOAD, forMs);
    p50s.push(quantile(latencies, 0.5));
    p99s.push(quantile(latencies, 0.99));
  }
  const rssMbEnd = await service.rssMb();
  const school = await measureSchool(service, page192, forMs);
  await service.end();
  return {
    workers,
    observationsPerSecond: median(rates),
    cpuMsEach: cpuMsEach.length === 0 ? null : median(cpuMsEach),
    healthMs,
    p50Ms: median(p50s),
    p99Ms: median(p99s),
    coldStartMs: median(starts),
    rssMbStart,
    rssMbEnd,
    school,
  };
}

function sayService(figures: ServiceFigures): void {
  const { workers, observationsPerSecond, cpuMsEach, healthMs, p50Ms, p99Ms, coldStartMs, rssMbStart, rssMbEnd } =
    figures;
  say(`service with ${workers} workers, sender on the same cores: ${observationsPerSecond.toFixed(0)} observations/s`);
  if (cpuMsEach !== null) {
    const alone = (workers * 1000) / cpuMsEach;
    say(
      `    ${cpuMsEach.toFixed(2)} ms CPU each, its link included: ${alone.toFixed(0)}/s of ${workers} cores of its own`,
    );
  }
  say(`    /healthz meanwhile: ${healthMs.toFixed(1)} ms at most`);
  say(
    `at 70 % of that: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms (${(p99Ms / p50Ms).toFixed(1)} ×); ready ${coldStartMs.toFixed(0)} ms after its start`,
  );
  say(`memory: ${rssMbStart?.toFixed(0) ?? '?'} MB, ${rssMbEnd?.toFixed(0) ?? '?'} MB at the end`);
  const { students, perSecond } = SCHOOL;
  const { cpuMs, p50Ms: p50, p99Ms: p99 } = figures.school;
  say(
    `${students} students, ${perSecond} pictures a second each: ${cpuMs?.toFixed(2) ?? '?'} ms CPU an observation, whole process; p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
}

/**
 * `npm run bench -- inference [--json] [--rounds n] [--seconds n] [--peers none]`: CPU time per frame stage by
 * stage, and the service under load through its own link. With --json the last line is one object.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '11' },
      seconds: { type: 'string', default: '5' },
      peers: { type: 'string', default: 'all' },
    },
  });
  progress('models and frames');
  const conversionMs = await measureConversion();
  await prepareModels();
  const files = await loadModels();
  const requests = await prepareFrames(files);
  if (values.peers !== 'none') progress('peers');
  const { peers, missing } = values.peers === 'none' ? { peers: [], missing: [] } : await openPeers(requests.full640);
  const rounds = Math.max(2, Number(values.rounds));
  const costs = await measureFrames(files, requests, peers, rounds, (turn) => progress(`round ${turn} of ${rounds}`));
  for (const peer of peers) await peer.close();
  const cost = (key: string): number => costs.get(key)?.ms ?? Number.NaN;
  const best = (key: string): number => costs.get(key)?.bestMs ?? Number.NaN;

  for (const name of CASES) {
    const bytes = Math.round(median(requests[name].map((request) => request.image.length)));
    say(`${name}: ${cost(name).toFixed(2)} ms CPU per frame, best round ${best(name).toFixed(2)} (${bytes} bytes)`);
    for (const key of [...costs.keys()].filter((other) => other.startsWith(`${name}.`))) {
      say(`    ${key.slice(name.length + 1).padEnd(14)} ${cost(key).toFixed(3)} ms, best ${best(key).toFixed(3)}`);
    }
  }
  const peak = await measureCorePeak();
  const macs = await meshMacs();
  const limits = { mesh: macs.observed / peak, whole: macs.whole / peak };
  const against = (what: string, key: string, limitMs: number): void =>
    say(
      `${what}: ${cost(key).toFixed(2)} ms, ${(cost(key) / limitMs).toFixed(1)} × the ${limitMs.toFixed(2)} ms its multiplications take (best ${best(key).toFixed(2)} ms)`,
    );
  say(`this core at its best: ${((peak * 2) / 1e6).toFixed(0)} GFLOP/s`);
  against('mesh as it serves, without the lips’ refinement', 'full640.mesh', limits.mesh);
  against('mesh whole, 478 points refined', 'mesh whole', limits.whole);

  const ours = cost('full640');
  const peerMs = peers.map(({ name }) => [name, cost(`peer.${name}`)] as const);
  for (const [name, ms] of peerMs) {
    say(`${name}: ${ms.toFixed(1)} ms per 640×480 frame, tracking: ${(ms / ours).toFixed(1)} × ours`);
  }
  for (const reason of missing) say(`not measured: ${reason}`);
  say(`models converted in ${conversionMs.toFixed(0)} ms, to the bytes that are pinned`);

  progress('pauses');
  const cold = await measureCold(files, requests.page192, rounds);
  const pauses = PAUSES_MS.map((pauseMs) => `${cold[`pause${pauseMs}`].toFixed(2)} after ${pauseMs} ms`);
  say(`one observation after a pause, ms CPU: ${pauses.join(', ')}`);

  progress('service: build and start');
  const service = await measureService(requests, Number(values.seconds) * 1000);
  sayService(service);
  if (!values.json) return;
  const { observationsPerSecond, p50Ms, p99Ms, rssMbStart, rssMbEnd, coldStartMs, healthMs, school } = service;
  say(
    JSON.stringify({
      cpuMsPerFrame: Object.fromEntries(CASES.map((name) => [name, round(cost(name), 3)])),
      observationsPerSecond: round(observationsPerSecond, 1),
      p50Ms: round(p50Ms, 2),
      p99Ms: round(p99Ms, 2),
      rssMbStart: rssMbStart === null ? null : round(rssMbStart, 1),
      rssMbEnd: rssMbEnd === null ? null : round(rssMbEnd, 1),
      coldStartMs: round(coldStartMs, 0),
      peers: Object.fromEntries(peerMs.map(([name, ms]) => [name, round(ms, 2)])),
      meshMs: round(cost('full640.mesh'), 3),
      meshLimitMs: round(limits.mesh, 3),
      wholeMeshMs: round(cost('mesh whole'), 3),
      wholeMeshLimitMs: round(limits.whole, 3),
      detectorMs: round(cost('full640Detector.detector'), 3),
      conversionMs: round(conversionMs, 0),
      healthzMs: round(healthMs, 1),
      coldCpuMs: Object.fromEntries(Object.entries(cold).map(([pause, ms]) => [pause, round(ms, 2)])),
      fiftyStudentsCpuMs: school.cpuMs === null ? null : round(school.cpuMs, 2),
      fiftyStudentsP50Ms: round(school.p50Ms, 1),
      fiftyStudentsP99Ms: round(school.p99Ms, 1),
    }),
  );
}
