import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { type Service, startGateway, startInference } from './services.ts';

export interface Product {
  readonly url: string;
  readonly inference: () => Service;
  readonly gateway: () => Service;
  /** Ends the gateway by a signal and starts it again on its port and data. */
  readonly restartGateway: (signal: NodeJS.Signals) => Promise<void>;
  /** The same for inference. */
  readonly restartInference: (signal: NodeJS.Signals) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Gateway and inference as built, each in a process of its own, in development mode on free ports. */
export async function startProduct(env: Readonly<Record<string, string>> = {}): Promise<Product> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gaze-relay-product-'));
  const port = await freePort();
  const base = { PATH: process.env.PATH, LOG_LEVEL: 'warn', HOST: '127.0.0.1', DATA_DIR: dataDir, ...env };
  const gatewayEnv = { ...base, PORT: String(port) };
  const inferencePort = await freePort();
  let inference = await startInference({ env: base, log: 'ignore' }, inferencePort);
  let gateway = await startGateway({ env: gatewayEnv, log: 'ignore' }, inferencePort);
  return {
    url: `http://127.0.0.1:${port}/`,
    inference: () => inference,
    gateway: () => gateway,
    restartGateway: async (signal) => {
      gateway.process.kill(signal);
      await gateway.exited;
      gateway = await startGateway({ env: gatewayEnv, log: 'ignore' }, inferencePort);
    },
    restartInference: async (signal) => {
      inference.process.kill(signal);
      await inference.exited;
      inference = await startInference({ env: base, log: 'ignore' }, inferencePort);
    },
    stop: async () => {
      await gateway.stop();
      await inference.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
