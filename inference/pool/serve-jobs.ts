import type { MessagePort } from 'node:worker_threads';
import { describeError } from '../../shared/errors.ts';
import { openEngine, warmUp } from '../engine/open.ts';
import { tuneDecoder } from '../pipeline/decode.ts';
import { observe } from '../pipeline/observe.ts';
import type { WorkerJob, WorkerReport, WorkerSetup } from './messages.ts';

/** A worker's life: open the engine, say so, then answer one job after the other. */
export async function serveJobs(port: MessagePort, setup: WorkerSetup): Promise<void> {
  const report = (message: WorkerReport): void => port.postMessage(message);
  tuneDecoder();
  try {
    const engine = await openEngine(setup.engine, setup.files);
    await warmUp(engine);
    port.on('message', async (job: WorkerJob) => report({ type: 'outcome', outcome: await observe(engine, job) }));
    report({ type: 'ready' });
  } catch (error) {
    report({ type: 'failed', reason: describeError(error) });
    port.close();
  }
}
