import { MessageChannel, parentPort, workerData } from 'node:worker_threads';
import type { WorkerJob, WorkerSetup } from '../../../inference/pool/messages.ts';
import { serveJobs } from '../../../inference/pool/serve-jobs.ts';
import { FAULT } from './faults.ts';

// The real worker behind a door: three words in place of a picture make it fail as a native library would.
if (parentPort === null) throw new Error('this module is the body of a worker thread');
const outside = parentPort;
const { port1, port2 } = new MessageChannel();
const gate = new Int32Array(new SharedArrayBuffer(4));

outside.on('message', (job: WorkerJob) => {
  const word = new TextDecoder().decode(job.image.subarray(0, 16));
  if (word === FAULT.crash) throw new Error('the worker was told to crash');
  if (word === FAULT.exit) process.exit(3);
  if (word === FAULT.hang) Atomics.wait(gate, 0, 0);
  port1.postMessage(job, [job.image.buffer as ArrayBuffer]);
});
port1.on('message', (report) => outside.postMessage(report));
await serveJobs(port2, workerData as WorkerSetup);
