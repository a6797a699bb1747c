import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Mode } from '../../shared/direction.ts';
import type { Limits } from '../../shared/protocol/control.ts';
import type { Logger } from '../lib/logger.ts';
import type { LinkAnswer } from '../relay/inference-link.ts';
import { inferenceReading, type LoadLevel, lagReading, limitsByLevel, NO_LOAD, stepLoad } from './load.ts';

const LAG_RESOLUTION_MS = 100;
const OVERLOADED = new Set<LinkAnswer['status']>(['busy', 'expired']);

/** Measures the load of inference and of this process, and yields the limits that follow from it. */
export class LoadWatch {
  readonly #operatorLimits: Limits;
  readonly #limits: readonly Limits[];
  readonly #logger: Logger;
  readonly #delay: IntervalHistogram;
  #inference: LoadLevel = NO_LOAD;
  #own: LoadLevel = NO_LOAD;
  #answers = 0;
  #busy = 0;

  constructor(operatorLimits: Limits, logger: Logger) {
    this.#operatorLimits = operatorLimits;
    this.#limits = limitsByLevel(operatorLimits);
    this.#logger = logger;
    this.#delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  }

  /** Streams are there: begins to measure. */
  start(): void {
    this.#delay.reset();
    this.#delay.enable();
  }

  /** No stream is there: no timer runs, and the next one finds the operator's limits. */
  stop(): void {
    this.#delay.disable();
    this.#inference = NO_LOAD;
    this.#own = NO_LOAD;
    this.#answers = 0;
    this.#busy = 0;
  }

  /** Inference answered a frame. */
  note(status: LinkAnswer['status']): void {
    this.#answers += 1;
    if (OVERLOADED.has(status)) this.#busy += 1;
  }

  /** Takes what was measured since the last call into account; call it once a second. `nowMs` never steps back. */
  tick(nowMs: number): void {
    const before = this.#levelOf('server');
    // Without a sample the mean is NaN.
    const lagMs = Number.isNaN(this.#delay.mean) ? 0 : this.#delay.mean / 1e6 - LAG_RESOLUTION_MS;
    this.#inference = stepLoad(this.#inference, inferenceReading(this.#answers, this.#busy), nowMs);
    this.#own = stepLoad(this.#own, lagReading(lagMs), nowMs);
    const level = this.#levelOf('server');
    if (level !== before) {
      const { maxFps, imageSizePx } = this.limitsOf('server');
      const fields = { maxFps, imageSizePx, answers: this.#answers, busy: this.#busy, lagMs: Math.round(lagMs) };
      if (level > before) this.#logger.warn({ code: 'overloaded', ...fields }, 'limits of students are lowered');
      else this.#logger.info(fields, 'limits of students are raised');
    }
    this.#delay.reset();
    this.#answers = 0;
    this.#busy = 0;
  }

  /** The limits of students in this mode: on a device nothing is asked of inference. The same object while they are the same. */
  limitsOf(mode: Mode): Limits {
    return this.#limits[this.#levelOf(mode)] ?? this.#operatorLimits;
  }

  #levelOf(mode: Mode): number {
    return mode === 'device' ? this.#own.level : Math.max(this.#own.level, this.#inference.level);
  }
}
