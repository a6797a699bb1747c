import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { WebSocket } from 'ws';
import { createOnnxEngine, openOnnxModels } from '../inference/engine/onnx.ts';
import { OnnxGraph } from '../inference/models/onnx.ts';
import { loadModels, type ModelFiles } from '../inference/models/store.ts';
import { guardImage } from '../inference/pipeline/guard.ts';
import { type ObserveRequest, observationOf, observe } from '../inference/pipeline/observe.ts';
import { createPictureReader, type PictureFile } from '../inference/pixels/reader.ts';
import { buildServices } from '../scripts/build.ts';
import type { FaceRoi } from '../shared/geometry.ts';
import { decodeInferenceResponse, encodeInferenceRequest, LINK_PATH, LINK_SUBPROTOCOL } from '../shared/link.ts';
import { decodeDetections } from '../shared/vision/detector.ts';
import { DETECTOR_FORMAT, MESH_FORMAT } from '../shared/vision/locate.ts';
import { MESH_SIZE, refineLandmarks, sigmoid } from '../shared/vision/mesh-output.ts';
import { landmarksToFrame, roiOfCrop } from '../shared/vision/roi.ts';
import { splitMjpeg } from '../test/support/mjpeg.ts';

const FULL = { widthPx: 640, heightPx: 480 };
const CROP_PX = 224;
const JPEG_QUALITY = 70;
const FRAMES = 40;
const BUDGET_MS = 10_000;

/** Multiply-accumulates of one run of the mesh model: its convolutions, as the TFLite file has them. */
const MESH_MACS = 43.5e6;
/** A product of square matrices this large runs at the core's own speed, not the memory's. */
const GEMM_SIZE = 768;

/** A sample is shorter than the clock of CPU time can tell. */
const SAMPLE_TURNS = 10;

const CASES = ['crop224', 'full640', 'full640Detector'] as const;
type Case = (typeof CASES)[number];
type Requests = Readonly<Record<Case, readonly ObserveRequest[]>>;

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** CPU time of this process, all its threads, while `work` runs; ms. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}

/** Frames of the real clip as 640×480 and as face crops of 224 px, each with the region of the frame before. */
async function prepare(files: ModelFiles): Promise<Requests> {
  const clip = splitMjpeg(await readFile(new URL('../test/clips/cap12.mjpeg', import.meta.url)));
  const engine = await createOnnxEngine(files);
  const vision = { engine, read: createPictureReader() };
  const whole = { xPx: 0, yPx: 0, ...FULL };
  const requests: Record<Case, ObserveRequest[]> = { crop224: [], full640: [], full640Detector: [] };
  let roi: FaceRoi | null = null;
  for (const frame of clip.slice(0, FRAMES + 1)) {
    const picture = sharp(frame).resize(FULL.widthPx, FULL.heightPx);
    const image = await picture.clone().jpeg({ quality: JPEG_QUALITY }).toBuffer();
    const outcome = await observe(vision, { frame: FULL, crop: whole, roi, image });
    if (outcome.status !== 'ok' || outcome.observation.face === null) throw new Error('the clip lost its face');
    if (roi !== null) {
      requests.full640.push({ frame: FULL, crop: whole, roi, image });
      requests.full640Detector.push({ frame: FULL, crop: whole, roi: null, image });
      const side = Math.min(FULL.heightPx, Math.round(roi.sizePx * 1.07));
      const crop = {
        xPx: Math.max(0, Math.min(FULL.widthPx - side, Math.round(roi.centerXPx - side / 2))),
        yPx: Math.max(0, Math.min(FULL.heightPx - side, Math.round(roi.centerYPx - side / 2))),
        widthPx: side,
        heightPx: side,
      };
      const small = await sharp(await picture.clone().png().toBuffer())
        .extract({ left: crop.xPx, top: crop.yPx, width: side, height: side })
        .resize(CROP_PX, CROP_PX)
        .jpeg({ quality: JPEG_QUALITY })
        .toBuffer();
      requests.crop224.push({ frame: FULL, crop, roi, image: small });
    }
    roi = outcome.observation.face.nextRoi;
  }
  await engine.close();
  return requests;
}

/** CPU time per frame of whole requests and of every stage, ms; medians over rounds that take turns. */
async function measureFrames(files: ModelFiles, requests: Requests, rounds: number) {
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
        observationOf({ face: { score: sigmoid(flag), landmarks }, faceCount: 1, detectorRan: false, quality }, FULL);
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
  }
  await engine.close();
  await models.close();
  // The first round pays for compilation.
  return new Map([...samples].map(([key, values]) => [key, median(values.slice(1))]));
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

interface Service {
  readonly port: number;
  readonly readyMs: number;
  rssMb(): Promise<number | null>;
  end(): Promise<void>;
}

/** The production bundle as its own process, models cached. */
async function startService(workers: number): Promise<Service> {
  const startedMs = performance.now();
  const child = fork(fileURLToPath(new URL('../dist/inference/main.mjs', import.meta.url)), {
    env: { ...process.env, PORT: '0', LOG_LEVEL: 'warn', INFERENCE_WORKERS: String(workers) },
    execArgv: [],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
  });
  return {
    port,
    readyMs: performance.now() - startedMs,
    rssMb: async () => {
      try {
        const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
        return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
      } catch {
        return null;
      }
    },
    end: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

/** Sends requests over one link; latency as the sender sees it, ms. */
async function openSender(port: number, requests: readonly ObserveRequest[]) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${LINK_PATH}`, LINK_SUBPROTOCOL, { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const waiting = new Map<number, (ok: boolean) => void>();
  socket.on('message', (data) => {
    const response = decodeInferenceResponse(data as Buffer);
    waiting.get(response.requestId)?.(response.status === 'ok');
    waiting.delete(response.requestId);
  });
  let nextId = 0;
  return {
    send: (): Promise<{ ok: boolean; ms: number }> => {
      const request = requests[nextId % requests.length];
      if (request === undefined) throw new Error('no frames to send');
      const requestId = nextId++;
      const startedMs = performance.now();
      return new Promise((resolve) => {
        waiting.set(requestId, (ok) => resolve({ ok, ms: performance.now() - startedMs }));
        socket.send(encodeInferenceRequest({ ...request, requestId, budgetMs: BUDGET_MS }));
      });
    },
    close: () => socket.close(),
  };
}

/** As many requests as are answered while `concurrency` are always under way; per second. */
async function saturate(port: number, requests: readonly ObserveRequest[], concurrency: number, forMs: number) {
  const sender = await openSender(port, requests);
  const startedMs = performance.now();
  let answered = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - startedMs < forMs) if ((await sender.send()).ok) answered++;
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  sender.close();
  return answered / ((performance.now() - startedMs) / 1000);
}

/** Latencies at a steady rate, whatever the answers do. */
async function pace(port: number, requests: readonly ObserveRequest[], perSecond: number, forMs: number) {
  const sender = await openSender(port, requests);
  const answers: Promise<{ ok: boolean; ms: number }>[] = [];
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startedMs;
      while (answers.length < (Math.min(elapsedMs, forMs) * perSecond) / 1000) answers.push(sender.send());
      if (elapsedMs < forMs) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  const latencies = (await Promise.all(answers)).filter((answer) => answer.ok).map((answer) => answer.ms);
  sender.close();
  return latencies;
}

/**
 * `npm run bench -- inference [--json] [--rounds n] [--seconds n]`: CPU time per frame stage by
 * stage, and the service under load through its own link. With --json the last line is one object.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '11' },
      seconds: { type: 'string', default: '5' },
    },
  });
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const { files } = await loadModels();
  const requests = await prepare(files);
  const costs = await measureFrames(files, requests, Math.max(2, Number(values.rounds)));
  const cost = (key: string): number => costs.get(key) ?? Number.NaN;
  for (const name of CASES) {
    const bytes = Math.round(median(requests[name].map((request) => request.image.length)));
    say(`${name}: ${cost(name).toFixed(2)} ms CPU per frame (${bytes} bytes)`);
    for (const key of [...costs.keys()].filter((other) => other.startsWith(`${name}.`))) {
      say(`    ${key.slice(name.length + 1).padEnd(14)} ${cost(key).toFixed(3)} ms`);
    }
  }
  const meshMs = cost('full640.mesh');
  const meshLimitMs = MESH_MACS / (await measureCorePeak());
  say(
    `mesh: ${meshMs.toFixed(2)} ms, ${(meshMs / meshLimitMs).toFixed(1)} × the ${meshLimitMs.toFixed(2)} ms its multiplications take`,
  );

  await buildServices();
  const workers = availableParallelism();
  const forMs = Number(values.seconds) * 1000;
  const service = await startService(workers);
  const coldStartMs = service.readyMs;
  await saturate(service.port, requests.crop224, workers * 2, forMs / 4);
  const rssMbStart = await service.rssMb();
  const observationsPerSecond = await saturate(service.port, requests.crop224, workers * 3, forMs);
  const latencies = await pace(service.port, requests.crop224, observationsPerSecond * 0.7, forMs);
  const rssMbEnd = await service.rssMb();
  await service.end();
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  say(`service with ${workers} workers, sender on the same cores: ${observationsPerSecond.toFixed(0)} observations/s`);
  say(
    `at 70 % of that: p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms; ready ${coldStartMs.toFixed(0)} ms after its start`,
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
      peers: {},
      meshMs: round(meshMs, 3),
      meshLimitMs: round(meshLimitMs, 3),
    }),
  );
}
