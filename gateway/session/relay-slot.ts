import type { FrameMessage } from '../../shared/protocol/frames.ts';

/** A frame on its way, with when the gateway got it (monotonic ms). */
export interface RelayedFrame {
  readonly message: FrameMessage;
  readonly receivedAtMs: number;
}

/** One frame in flight and one waiting per student; the newest takes the waiting one's place. */
export interface RelaySlot {
  readonly inFlight: RelayedFrame | null;
  readonly waiting: RelayedFrame | null;
}

export const EMPTY_SLOT: RelaySlot = { inFlight: null, waiting: null };

export interface SlotStep {
  readonly slot: RelaySlot;
  /** To be sent to inference now. */
  readonly send: RelayedFrame | null;
  /** Lost its place to a newer one. */
  readonly superseded: RelayedFrame | null;
}

/** A frame arrives. */
export function offerFrame(slot: RelaySlot, frame: RelayedFrame): SlotStep {
  if (slot.inFlight === null) return { slot: { inFlight: frame, waiting: null }, send: frame, superseded: null };
  return { slot: { inFlight: slot.inFlight, waiting: frame }, send: null, superseded: slot.waiting };
}

/** The frame in flight is answered, well or badly; the waiting one goes. */
export function releaseFrame(slot: RelaySlot): SlotStep {
  return { slot: { inFlight: slot.waiting, waiting: null }, send: slot.waiting, superseded: null };
}
