import { CLIP_FRAMES } from '../../../harness/clip.ts';
import { loadModels } from '../../../inference/models/store.ts';
import { WorkerPool } from '../../../inference/pool/pool.ts';
import { spawnWorker } from '../../../inference/pool/spawn.ts';

/**
 * Ends pools at every moment of their workers' lives: while models are opened and while frames are
 * looked at. Prints how often the process survived.
 */
const ROUNDS = 12;

const files = await loadModels();
const frames = CLIP_FRAMES;
const frame = { widthPx: 400, heightPx: 300 };
let survived = 0;

function newPool(): WorkerPool {
  return new WorkerPool({
    workers: 2,
    queueLimit: 64,
    hangMs: 20_000,
    startMs: 20_000,
    spawn: () => spawnWorker({ engine: 'onnx', files }),
    onReplaced: () => {},
  });
}

for (let round = 0; round < ROUNDS; round += 1) {
  const starting = newPool();
  const started = starting.start().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, round * 25));
  await starting.close();
  await started;

  const running = newPool();
  await running.start();
  const answers = frames
    .slice(0, 40)
    .map((image) =>
      running.submit({ frame, crop: { xPx: 0, yPx: 0, ...frame }, roi: null, image: new Uint8Array(image) }, 20_000),
    );
  await Promise.race(answers);
  await new Promise((resolve) => setTimeout(resolve, round));
  await running.close();
  survived += 1;
}
process.stdout.write(`${survived}\n`);
process.exit(0);
