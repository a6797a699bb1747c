import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { linkSecret, oneOf, variable, wholeNumber } from '../shared/config.ts';
import { ENGINE_NAMES } from './engine/engine.ts';
import { defaultModelFolder } from './models/store.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Inference's environment variables; README's table and .env.example are made from it. */
export const inferenceEnvironmentSchema = z.object({
  // Loopback unless told otherwise: without a secret the link takes every peer.
  HOST: variable(z.string().default('127.0.0.1'), {
    description:
      'address to listen on: `::` in a private network; with `INFERENCE_SECRET` where others share that network. Never make it public: frames are not encrypted',
    example: '::',
  }),
  PORT: variable(wholeNumber(0, 65_535).default(5051), { description: 'port', example: '5051' }),
  INFERENCE_ENGINE: variable(oneOf(ENGINE_NAMES).default('onnx'), {
    description: `engine: ${ENGINE_NAMES.map((name) => `\`${name}\``).join(', ')}`,
    example: 'onnx',
  }),
  INFERENCE_WORKERS: variable(wholeNumber(1, 256).default(availableParallelism()), {
    description: 'worker threads',
    example: '2',
    defaultText: 'number of cores',
  }),
  INFERENCE_SECRET: variable(linkSecret, {
    description:
      'secret that a gateway must present to connect, the same on both sides; needed where others share the network',
    example: 'change-me-openssl-rand-hex-32',
    secret: true,
  }),
  INFERENCE_QUEUE: variable(wholeNumber(1, 4096).default(64), {
    description: 'requests that may wait before `busy` is answered',
    example: '64',
  }),
  MODEL_CACHE_DIR: variable(z.string().default(defaultModelFolder()), {
    description: 'where the build puts the converted models, and inference reads them',
    example: '/app/models',
    defaultText: '.cache/models',
  }),
  LOG_LEVEL: variable(oneOf(LOG_LEVELS).default('info'), {
    description: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
    example: 'info',
  }),
});

/** Inference's configuration from environment variables (README, "Configuration"). */
export const inferenceConfigSchema = inferenceEnvironmentSchema.transform((env) => ({
  port: env.PORT,
  host: env.HOST,
  engine: env.INFERENCE_ENGINE,
  workers: env.INFERENCE_WORKERS,
  secret: env.INFERENCE_SECRET ?? null,
  queueLimit: env.INFERENCE_QUEUE,
  modelCacheDir: env.MODEL_CACHE_DIR,
  logLevel: env.LOG_LEVEL,
}));

export type InferenceConfig = z.infer<typeof inferenceConfigSchema>;
