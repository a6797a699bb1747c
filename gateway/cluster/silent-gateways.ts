import { describeError } from '../../shared/errors.ts';
import type { MetricsWindow } from '../../shared/metrics-window.ts';
import type { Logger } from '../lib/logger.ts';
import { inParallel } from '../lib/parallel.ts';
import { openWindow } from '../session/account-windows.ts';
import type { StudentState } from '../session/ownership.ts';
import type { CheckpointStream } from './checkpoints.ts';
import type { OwnerBucket } from './owners.ts';
import type { Peers } from './peers.ts';

const AT_ONCE = 16;

export interface SilentGatewaysOptions {
  readonly peers: Peers;
  readonly owners: OwnerBucket;
  readonly checkpoints: CheckpointStream;
  /** What a gateway wrote last of a student; null where that is nothing. */
  readonly newestOf: (gatewayId: string, userId: number) => Promise<StudentState | null>;
  /** Resolves when the window is in the delivery queue. */
  readonly append: (window: MetricsWindow) => Promise<void>;
  readonly logger: Logger;
}

/**
 * Books what gateways have left that are heard no more: the open windows of students who have not come back. One of the
 * gateways does it; where two do, each window counts once all the same.
 */
export class SilentGateways {
  readonly #options: SilentGatewaysOptions;
  #running: Promise<void> | null = null;
  #count = 0;

  constructor(options: SilentGatewaysOptions) {
    this.#options = options;
  }

  /** Gateways whose windows this one has booked. */
  get count(): number {
    return this.#count;
  }

  /** Looks for such gateways, unless it is doing so. */
  look(): void {
    this.#running ??= this.#look()
      .catch((error: unknown) => {
        this.#options.logger.debug({ reason: describeError(error) }, 'windows of silent gateways are looked for later');
      })
      .finally(() => {
        this.#running = null;
      });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #look(): Promise<void> {
    const { peers, checkpoints, logger } = this.#options;
    if (!peers.knowsOthers) return;
    const present = new Set([peers.id, ...peers.others().map(({ id }) => id)]);
    const [first] = [...present].sort();
    if (first !== peers.id) return;
    for (const gatewayId of await checkpoints.gateways()) {
      if (present.has(gatewayId)) continue;
      const written = await checkpoints.read(gatewayId);
      // Last words hold no open window; students who come back find their session in them.
      if (written === null || written.isFinal) continue;
      let windows = 0;
      await inParallel([...written.byStudent.keys()], AT_ONCE, async (userId) => {
        windows += await this.#book(gatewayId, userId);
      });
      await checkpoints.remove(gatewayId);
      this.#count += 1;
      logger.warn({ gatewayId, windows }, 'open windows of a gateway that is gone are booked');
    }
  }

  /** Resolves with the number of windows. The windows come first: a gateway that finds the student released finds them stored. */
  async #book(gatewayId: string, userId: number): Promise<number> {
    const { owners, append, newestOf } = this.#options;
    const entry = await owners.find(userId);
    if (entry !== null && entry.gateway !== gatewayId && entry.from !== gatewayId) return 0;
    const accounts = (await newestOf(gatewayId, userId))?.accounts ?? [];
    const windows = accounts.map(openWindow).filter((window) => window !== null);
    for (const window of windows) await append(window);
    await owners.release(userId, gatewayId);
    return windows.length;
  }
}
