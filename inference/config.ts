import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ENGINE_NAMES } from './engine/engine.ts';
import { projectRoot } from './project-root.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(message).int(message).min(min, message).max(max, message);
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, `must be one of ${values.join(', ')}`);
}

/** The inference service's environment variables and their defaults. */
export const inferenceConfigSchema = z
  .object({
    PORT: wholeNumber(0, 65_535).default(5051),
    // Loopback unless told otherwise: the link has no authentication of its own.
    HOST: z.string().default('127.0.0.1'),
    INFERENCE_ENGINE: oneOf(ENGINE_NAMES).default('onnx'),
    INFERENCE_WORKERS: wholeNumber(1, 256).default(availableParallelism()),
    INFERENCE_QUEUE: wholeNumber(1, 4096).default(64),
    MODEL_CACHE_DIR: z.string().default(join(projectRoot(), '.cache', 'models')),
    LOG_LEVEL: oneOf(LOG_LEVELS).default('info'),
  })
  .transform((env) => ({
    port: env.PORT,
    host: env.HOST,
    engine: env.INFERENCE_ENGINE,
    workers: env.INFERENCE_WORKERS,
    queueLimit: env.INFERENCE_QUEUE,
    modelCacheDir: env.MODEL_CACHE_DIR,
    logLevel: env.LOG_LEVEL,
  }));

export type InferenceConfig = z.infer<typeof inferenceConfigSchema>;
