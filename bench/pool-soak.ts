import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { CLIP_FRAMES, wholeFrame } from '../harness/clip.ts';
import { mutate } from '../harness/mutate.ts';
import { seededIntegers } from '../harness/random.ts';
import { loadModels } from '../inference/models/store.ts';
import { type PoolAnswer, WorkerPool } from '../inference/pool/pool.ts';
import { spawnWorker } from '../inference/pool/spawn.ts';
import { prepareModels } from '../scripts/models/prepare.ts';
import type { FaceRoi } from '../shared/geometry.ts';

const HANG_MS = 2_000;
const START_MS = 20_000;
const PATIENT_MS = 60_000;
const REPORTS = 100;

interface Soak {
  readonly frames: number;
  /** Share of pictures that are damaged, 0–1. */
  readonly damaged: number;
  readonly seed: number;
  readonly workers: number;
}

/** Memory of this process, all its threads; MB. */
function rssMb(): number {
  return process.memoryUsage.rss() / 1024 ** 2;
}

/** Runs frames through a pool of real workers and prints memory as it goes. False when a worker had to be replaced. */
async function soak({ frames, damaged, seed, workers }: Soak): Promise<boolean> {
  await prepareModels();
  const files = await loadModels();
  const below = seededIntegers(seed);
  const small = await Promise.all(CLIP_FRAMES.slice(0, 40).map((frame) => sharp(frame).resize(160, 120).toBuffer()));
  const originals = [...CLIP_FRAMES, ...small];
  const pick = (): Uint8Array => originals[below(originals.length)] ?? new Uint8Array();
  const replaced: string[] = [];
  const pool = new WorkerPool({
    workers,
    queueLimit: workers * 4,
    hangMs: HANG_MS,
    startMs: START_MS,
    spawn: () => spawnWorker({ engine: 'onnx', files }),
    onReplaced: (reason) => replaced.push(reason),
  });
  await pool.start();
  const counts = new Map<PoolAnswer['status'], number>();
  let begun = 0;
  let answered = 0;
  const startedMs = performance.now();
  const student = async (): Promise<void> => {
    let roi: FaceRoi | null = null;
    while (begun < frames) {
      begun++;
      const broken = below(1_000_000) < damaged * 1_000_000;
      const bytes = broken ? mutate(pick(), pick(), below) : pick();
      const { frame, crop } = wholeFrame(bytes);
      const answer = await pool.submit({ frame, crop, roi, image: Uint8Array.from(bytes) }, PATIENT_MS);
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
      roi = answer.status === 'ok' ? (answer.observation.face?.nextRoi ?? null) : null;
      answered++;
      if (answered % Math.ceil(frames / REPORTS) === 0) {
        const rate = answered / ((performance.now() - startedMs) / 1000);
        process.stdout.write(`${answered} frames, ${rate.toFixed(0)}/s, RSS ${rssMb().toFixed(0)} MB\n`);
      }
    }
  };
  // Every worker always has a next one waiting.
  await Promise.all(Array.from({ length: workers * 2 }, student));
  await pool.close();
  process.stdout.write(`${JSON.stringify(Object.fromEntries(counts))}, workers replaced: ${replaced.length}\n`);
  for (const reason of replaced) process.stdout.write(`  ${reason}\n`);
  return replaced.length === 0;
}

/** `npm run bench -- pool-soak [--frames n] [--damaged share] [--seed n] [--workers n]` */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      frames: { type: 'string', default: '1000000' },
      damaged: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const clean = await soak({
    frames: Number(values.frames),
    damaged: Number(values.damaged),
    seed: Number(values.seed),
    workers: Number(values.workers),
  });
  process.exitCode = clean ? 0 : 1;
}
