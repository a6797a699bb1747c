import { independentLoss, type LossShape, NO_LOSS, type PathShape } from './path.ts';
import type { LinkShape } from './shaped-link.ts';

/** Kinds of links. `rttMs` is without queueing; the queue is in ms of its own rate. */
export interface LinkWish {
  readonly kbps: number | null;
  readonly rttMs: number;
  readonly loss?: LossShape | number;
  /** How much may wait at the bottleneck, as time at its rate: the depth of bufferbloat. */
  readonly queueMs?: number;
}

/** Room for a burst even on the slowest link: ten full packets. */
const LEAST_QUEUE_BYTES = 15_000;
/** Without a wish: a modem or router of the kind that homes have. */
const QUEUE_MS = 500;

/** The same shape both ways. */
export function symmetricLink({ kbps, rttMs, loss = NO_LOSS, queueMs = QUEUE_MS }: LinkWish): LinkShape {
  const path: PathShape = {
    kbps,
    delayMs: rttMs / 2,
    queueBytes: kbps === null ? Number.POSITIVE_INFINITY : Math.max(LEAST_QUEUE_BYTES, (kbps * queueMs) / 8),
    loss: typeof loss === 'number' ? independentLoss(loss) : loss,
  };
  return { up: path, down: path };
}
