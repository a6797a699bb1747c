import { createOnnxEngine } from '../../inference/engine/onnx.ts';
import type { ModelFiles } from '../../inference/models/store.ts';
import { type ObserveRequest, observe } from '../../inference/observe.ts';
import { createPictureReader } from '../../inference/pixels/reader.ts';
import { cpuMs, median } from './stats.ts';

/** Pauses before an observation, ms: none, and those of many, some and one student. */
export const PAUSES_MS = [0, 20, 50, 200] as const;
export type PauseMs = (typeof PAUSES_MS)[number];

/** A round spends about this long on each pause, ms. */
const TURN_MS = 1000;
const MOST_OBSERVATIONS = 40;
const FEWEST_OBSERVATIONS = 5;

/**
 * CPU time within one observation that comes after a pause, ms: while a process rests, its memory leaves the caches and the core
 * slows down. Medians over rounds in which the pauses take turns.
 */
export async function measureCold(
  files: ModelFiles,
  requests: readonly ObserveRequest[],
  rounds: number,
): Promise<Readonly<Record<`pause${PauseMs}`, number>>> {
  const engine = await createOnnxEngine(files);
  const vision = { engine, read: createPictureReader() };
  for (const request of requests) await observe(vision, request);
  const samples = new Map<PauseMs, number[]>(PAUSES_MS.map((pauseMs) => [pauseMs, []]));
  for (let round = 0; round < rounds; round++) {
    for (const pauseMs of PAUSES_MS) {
      const count = Math.max(FEWEST_OBSERVATIONS, Math.min(MOST_OBSERVATIONS, Math.floor(TURN_MS / (pauseMs || 1))));
      let usedMs = 0;
      for (let turn = 0; turn < count; turn++) {
        const request = requests[(round * count + turn) % requests.length];
        if (request === undefined) throw new Error('no frames to observe');
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        usedMs += await cpuMs(() => observe(vision, request));
      }
      samples.get(pauseMs)?.push(usedMs / count);
    }
  }
  await engine.close();
  const medianOf = (pauseMs: PauseMs): number => median(samples.get(pauseMs) ?? []);
  return { pause0: medianOf(0), pause20: medianOf(20), pause50: medianOf(50), pause200: medianOf(200) };
}
