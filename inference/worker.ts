import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerSetup } from './pool/messages.ts';
import { serveJobs } from './pool/serve-jobs.ts';

if (parentPort === null) throw new Error('this module is the body of a worker thread');
await serveJobs(parentPort, workerData as WorkerSetup);
