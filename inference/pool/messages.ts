import type { EngineName } from '../engine/engine.ts';
import type { EngineFiles } from '../engine/open.ts';
import type { ObserveOutcome, ObserveRequest } from '../observe.ts';
import type { NativeGateMemory } from './native-gate.ts';

/** Given to a worker when it starts. */
export interface WorkerSetup {
  readonly engine: EngineName;
  readonly files: EngineFiles;
  /** Where the worker says that it is inside native code. */
  readonly gate: NativeGateMemory;
}

/** To a worker: one request; its image is the worker's own from then on. */
export type WorkerJob = ObserveRequest;

/** From a worker: `ready` once, then one outcome for each job. */
export type WorkerReport =
  | { readonly type: 'ready'; readonly engine: EngineName; readonly fallback: string | null }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'outcome'; readonly outcome: ObserveOutcome };
