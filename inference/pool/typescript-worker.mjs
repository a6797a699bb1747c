// A worker thread has no TypeScript loader of its own, even when its process was started by tsx.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.entry);
