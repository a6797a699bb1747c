import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerSetup } from './messages.ts';
import { serveJobs } from './serve-jobs.ts';

if (parentPort === null) throw new Error('this module is the body of a worker thread');
await serveJobs(parentPort, workerData as WorkerSetup);
