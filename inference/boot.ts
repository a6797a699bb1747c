import { pino } from 'pino';
import { requireConfig } from '../shared/config.ts';
import { describeError } from '../shared/errors.ts';
import { type InferenceConfig, inferenceConfigSchema } from './config.ts';
import type { EngineFiles } from './engine/open.ts';
import { SERVED_MODELS } from './models/catalog.ts';
import { loadModels } from './models/store.ts';
import { loadTfjsModels } from './models/tfjs-store.ts';
import { WorkerPool } from './pool/pool.ts';
import { endProcess, spawnWorker } from './pool/spawn.ts';
import { type InferenceServer, startServer } from './server.ts';

/** A frame takes a few milliseconds, on the slow engines and a crowded machine a second or two: later than this none comes. */
const HANG_MS = 5_000;
const START_MS = 20_000;

function loadEngineFiles({ engine, modelCacheDir }: InferenceConfig): Promise<EngineFiles> {
  return engine === 'tfjs' ? loadTfjsModels(modelCacheDir) : loadModels(modelCacheDir, SERVED_MODELS);
}

/**
 * Reads the configuration, takes the port, loads the models and starts the workers; resolves when
 * the service is ready. Every failure is a RelayError: `config_invalid`, `port_in_use`,
 * `listen_failed`, `model_*`, `engine_unavailable`, `engine_start_timeout`.
 */
export async function bootInference(env: Readonly<Record<string, string | undefined>>): Promise<InferenceServer> {
  const startedAtMs = performance.now();
  const config = requireConfig<InferenceConfig>('inference', inferenceConfigSchema, env);
  // Synchronous: asynchronous lines are lost in a crash, or written after later ones.
  const logger = pino({ name: 'inference', level: config.logLevel }, pino.destination({ sync: true }));

  const files = await loadEngineFiles(config);
  let engine = config.engine;
  const pool = new WorkerPool({
    workers: config.workers,
    queueLimit: config.queueLimit,
    hangMs: HANG_MS,
    startMs: START_MS,
    spawn: () => spawnWorker({ engine: config.engine, files }),
    onReady: (opened, fallback) => {
      if (fallback !== null && opened !== engine)
        logger.warn({ engine: opened, reason: fallback }, 'engine replaced by a slower one');
      engine = opened;
    },
    onReplaced: (reason) => logger.error({ reason }, 'a worker was replaced'),
  });
  let server: InferenceServer | null = null;
  try {
    server = await startServer({ host: config.host, port: config.port, pool, secret: config.secret, logger });
    await pool.start();
  } catch (error) {
    await pool.close();
    await server?.close();
    throw error;
  }
  const { port } = server;
  const opened = server;
  const readyMs = Math.round(performance.now() - startedAtMs);
  logger.info({ host: config.host, port, engine, workers: config.workers, readyMs }, 'inference ready');
  return {
    port,
    close: async () => {
      logger.info('inference draining');
      await opened.close();
      await pool.close();
      logger.info('inference ended');
    },
  };
}

/** Prints the error (for a configuration every fault) and ends the process with exit code 1, or as endProcess says. */
export function failStart(error: unknown): never {
  process.stderr.write(`${describeError(error)}\n`);
  endProcess(1);
}
