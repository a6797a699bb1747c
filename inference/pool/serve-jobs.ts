import type { MessagePort } from 'node:worker_threads';
import { describeError } from '../../shared/errors.ts';
import type { FaceEngine } from '../engine/engine.ts';
import { openEngine } from '../engine/open.ts';
import { observe, warmUp } from '../observe.ts';
import { createPictureReader } from '../pixels/reader.ts';
import type { WorkerJob, WorkerReport, WorkerSetup } from './messages.ts';
import { openGate } from './native-gate.ts';

/** A worker's life: open the engine, say so, then answer one job after the other. */
export async function serveJobs(port: MessagePort, setup: WorkerSetup): Promise<void> {
  const report = (message: WorkerReport): void => port.postMessage(message);
  try {
    const gate = openGate(setup.gate);
    const opened = await gate(() => openEngine(setup.engine, setup.files));
    const engine: FaceEngine = { ...opened, locate: (...seen) => gate(() => opened.locate(...seen)) };
    const vision = { engine, read: createPictureReader() };
    await warmUp(vision);
    port.on('message', async (job: WorkerJob) => report({ type: 'outcome', outcome: await observe(vision, job) }));
    report({ type: 'ready', engine: engine.name, fallback: engine.fallback });
  } catch (error) {
    report({ type: 'failed', reason: describeError(error) });
    port.close();
  }
}
