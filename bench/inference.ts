import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createOnnxEngine, openOnnxModels } from '../inference/engine/onnx.ts';
import { OnnxGraph } from '../inference/models/onnx.ts';
import { loadModels, type ModelFiles } from '../inference/models/store.ts';
import { guardImage } from '../inference/pipeline/guard.ts';
import { observe } from '../inference/pipeline/observe.ts';
import { createPictureReader, type PictureFile } from '../inference/pixels/reader.ts';
import { buildServices } from '../scripts/build.ts';
import type { FaceRoi } from '../shared/geometry.ts';
import { decodeDetections } from '../shared/vision/detector.ts';
import { DETECTOR_FORMAT, MESH_FORMAT } from '../shared/vision/locate.ts';
import { MESH_SIZE, refineLandmarks, sigmoid } from '../shared/vision/mesh-output.ts';
import { observationOf } from '../shared/vision/observe.ts';
import { landmarksToFrame, roiOfCrop } from '../shared/vision/roi.ts';
import { CASES, type Case, prepareFrames, type Requests } from './lib/frames.ts';
import { openPeers, type Peer } from './lib/peers.ts';
import { pace, saturate, slowestHealth, startService } from './lib/service.ts';
import { cpuMs, median, quantile, round } from './lib/stats.ts';

/** Multiply-accumulates of one run of the mesh model: its convolutions, as the TFLite file has them. */
const MESH_MACS = 43.5e6;
/** A product of square matrices this large runs at the core's own speed, not the memory's. */
const GEMM_SIZE = 768;

/** A sample is shorter than the clock of CPU time can tell. */
const SAMPLE_TURNS = 10;

/** CPU time per frame of whole requests and of every stage, ms; medians over rounds that take turns. */
async function measureFrames(files: ModelFiles, requests: Requests, peers: readonly Peer[], rounds: number) {
  const engine = await createOnnxEngine(files);
  const read = createPictureReader();
  const vision = { engine, read };
  const models = await openOnnxModels({ InferenceSession, Tensor }, files);
  const samples = new Map<string, number[]>();
  const note = async (key: string, count: number, work: () => Promise<unknown>): Promise<void> => {
    const spent = (await cpuMs(work)) / count;
    samples.set(key, [...(samples.get(key) ?? []), spent]);
  };
  const stage = async (name: Case): Promise<void> => {
    const list = requests[name];
    const count = list.length;
    await note(`${name}.guard`, count, async () => {
      for (const request of list) guardImage(request.image);
    });
    const files = list.map((request): PictureFile => {
      const verdict = guardImage(request.image);
      if (!verdict.ok) throw new Error(verdict.reason);
      return { ...verdict, bytes: request.image, crop: request.crop };
    });
    await note(`${name}.decode`, count, async () => {
      for (const [index, file] of files.entries()) await read(file, list[index]?.roi ?? null);
    });
    if (name === 'full640Detector') {
      // The reader holds one picture at a time.
      const [file] = files;
      if (file === undefined) return;
      const picture = await read(file, null);
      const region = roiOfCrop(picture.crop);
      await note(`${name}.sample`, count, async () => {
        for (const _ of files) picture.sample(region, DETECTOR_FORMAT);
      });
      const { planes } = picture.sample(region, DETECTOR_FORMAT);
      await note(`${name}.detector`, count, async () => {
        for (const _ of files) {
          const { boxes, logits } = await models.detect(planes);
          decodeDetections(boxes, logits, region);
        }
      });
      return;
    }
    const tensors: Float32Array[] = [];
    const rois: FaceRoi[] = [];
    let sampledMs = 0;
    for (const [index, file] of files.entries()) {
      const roi = list[index]?.roi ?? roiOfCrop(file.crop);
      const picture = await read(file, roi);
      sampledMs += await cpuMs(async () => {
        for (let turn = 0; turn < SAMPLE_TURNS; turn++) picture.sample(roi, MESH_FORMAT);
      });
      tensors.push(Float32Array.from(picture.sample(roi, MESH_FORMAT).planes));
      rois.push(roi);
    }
    samples.set(`${name}.crop`, [...(samples.get(`${name}.crop`) ?? []), sampledMs / SAMPLE_TURNS / count]);
    const outputs: Awaited<ReturnType<typeof models.mesh>>[] = [];
    await note(`${name}.mesh`, count, async () => {
      for (const planes of tensors) outputs.push(await models.mesh(planes));
    });
    await note(`${name}.pose and gaze`, count, async () => {
      outputs.forEach(({ mesh, heads, flag }, index) => {
        const roi = rois[index];
        if (roi === undefined) return;
        const landmarks = refineLandmarks(mesh, heads);
        landmarksToFrame(landmarks, roi, MESH_SIZE);
        const quality = { brightness: 0, sharpness: 0 };
        observationOf(
          { face: { score: sigmoid(flag), landmarks }, faceCount: 1, detectorRan: false, quality },
          requests.full640[0]?.frame ?? { widthPx: 640, heightPx: 480 },
        );
      });
    });
  };
  for (let turn = 0; turn < rounds; turn++) {
    for (const name of CASES) {
      await note(name, requests[name].length, async () => {
        for (const request of requests[name]) await observe(vision, request);
      });
      await stage(name);
    }
    for (const peer of peers) {
      const key = `peer.${peer.name}`;
      samples.set(key, [...(samples.get(key) ?? []), await peer.msPerFrame()]);
    }
  }
  await engine.close();
  await models.close();
  // The first round pays for compilation.
  return new Map(
    [...samples].map(([key, values]) => [key, { ms: median(values.slice(1)), bestMs: Math.min(...values.slice(1)) }]),
  );
}

/** Multiply-accumulates per ms of one core: the best of many large matrix products. */
async function measureCorePeak(): Promise<number> {
  const onnx = new OnnxGraph('product');
  const shape = [GEMM_SIZE, GEMM_SIZE];
  const factor = onnx.floats(new Float32Array(GEMM_SIZE * GEMM_SIZE).fill(0.5), shape);
  onnx.output('product', onnx.node('MatMul', [onnx.input('factor', shape), factor]), shape);
  const session = await InferenceSession.create(onnx.encode(), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feeds = { factor: new Tensor('float32', new Float32Array(GEMM_SIZE * GEMM_SIZE).fill(0.25), shape) };
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 30; turn++) {
    const startedMs = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - startedMs);
  }
  await session.release();
  return GEMM_SIZE ** 3 / best;
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
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const { files } = await loadModels();
  const requests = await prepareFrames(files);
  const { peers, missing } = values.peers === 'none' ? { peers: [], missing: [] } : await openPeers(requests.full640);
  const costs = await measureFrames(files, requests, peers, Math.max(2, Number(values.rounds)));
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
  const meshMs = cost('full640.mesh');
  const meshLimitMs = MESH_MACS / (await measureCorePeak());
  say(
    `mesh: ${meshMs.toFixed(2)} ms, ${(meshMs / meshLimitMs).toFixed(1)} × the ${meshLimitMs.toFixed(2)} ms its multiplications take`,
  );

  const ours = cost('full640');
  const peerMs = peers.map(({ name }) => [name, cost(`peer.${name}`)] as const);
  for (const [name, ms] of peerMs) {
    say(`${name}: ${ms.toFixed(1)} ms per 640×480 frame, tracking: ${(ms / ours).toFixed(1)} × ours`);
  }
  for (const reason of missing) say(`not measured: ${reason}`);

  await buildServices();
  const workers = availableParallelism();
  const forMs = Number(values.seconds) * 1000;
  const service = await startService(workers);
  const coldStartMs = service.readyMs;
  await saturate(service.port, requests.crop224, workers * 2, forMs / 4);
  const rssMbStart = await service.rssMb();
  const cpuBefore = await service.cpuMs();
  let observationsPerSecond = 0;
  const healthMs = await slowestHealth(service.port, async () => {
    observationsPerSecond = await saturate(service.port, requests.crop224, workers * 3, forMs);
  });
  const cpuAfter = await service.cpuMs();
  const latencies = await pace(service.port, requests.crop224, observationsPerSecond * 0.7, forMs);
  const rssMbEnd = await service.rssMb();
  await service.end();
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  say(`service with ${workers} workers, sender on the same cores: ${observationsPerSecond.toFixed(0)} observations/s`);
  if (cpuBefore !== null && cpuAfter !== null) {
    const perObservation = (cpuAfter - cpuBefore) / ((observationsPerSecond * forMs) / 1000);
    const alone = (workers * 1000) / perObservation;
    say(
      `    ${perObservation.toFixed(2)} ms CPU each, its link included: ${alone.toFixed(0)}/s of ${workers} cores of its own`,
    );
  }
  say(`    /healthz meanwhile: ${healthMs.toFixed(1)} ms at most`);
  say(
    `at 70 % of that: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms (${(p99Ms / p50Ms).toFixed(1)} ×); ready ${coldStartMs.toFixed(0)} ms after its start`,
  );
  say(`memory: ${rssMbStart?.toFixed(0) ?? '?'} MB, ${rssMbEnd?.toFixed(0) ?? '?'} MB at the end`);
  if (!values.json) return;
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
      meshMs: round(meshMs, 3),
      meshLimitMs: round(meshLimitMs, 3),
    }),
  );
}
