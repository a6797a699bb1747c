import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { WorkerSetup } from '../../../inference/pool/messages.ts';
import { openGate } from '../../../inference/pool/native-gate.ts';

const { gate, fifo } = workerData as WorkerSetup & { readonly fifo: string };
await openGate(gate)(async () => readFileSync(fifo));
