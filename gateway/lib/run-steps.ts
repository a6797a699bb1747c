import { describeError } from '../../shared/errors.ts';
import type { Logger } from './logger.ts';

/** A named piece of work. */
export type Step = readonly [name: string, run: () => void | Promise<void>];

/** Runs every step in order, also after one that fails; each failure is logged as `close_failed` with the step's name. */
export async function runSteps(steps: readonly Step[], logger: Pick<Logger, 'error'>): Promise<void> {
  for (const [step, run] of steps) {
    try {
      await run();
    } catch (error) {
      logger.error({ code: 'close_failed', step, reason: describeError(error) }, 'a part could not be closed');
    }
  }
}
