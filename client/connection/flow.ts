import type { ClientMessage } from '../../shared/protocol/frames.ts';

/** A message without an acknowledgement. */
interface InFlight {
  readonly kind: ClientMessage['kind'];
  readonly captureMs: number;
  readonly sentAtMs: number;
  /** Length of the message. */
  readonly bytes: number;
}

/** A message's sequence number and capture time on the wire. */
interface Numbered {
  readonly seq: number;
  readonly captureMs: number;
}

/**
 * Messages in flight on one connection, by sequence number. The window is small (the gateway's
 * credit), so nothing here grows with the session.
 */
export class FlowWindow {
  #nextSeq = 0;
  #lastCaptureMs = -1;
  readonly #inFlight = new Map<number, InFlight>();

  /** Number of messages without an acknowledgement. */
  get pending(): number {
    return this.#inFlight.size;
  }

  /** True while a picture has no acknowledgement. */
  get framePending(): boolean {
    for (const { kind } of this.#inFlight.values()) if (kind === 'frame') return true;
    return false;
  }

  /** When the oldest message without an acknowledgement was sent; null when there is none. */
  get oldestSentAtMs(): number | null {
    for (const { sentAtMs } of this.#inFlight.values()) return sentAtMs;
    return null;
  }

  /**
   * Assigns a sequence number. Capture times must increase on the wire: one that does not is moved to the next
   * millisecond.
   */
  take(kind: InFlight['kind'], captureMs: number, nowMs: number, bytes: number): Numbered {
    this.#lastCaptureMs = Math.max(Math.floor(captureMs), this.#lastCaptureMs + 1);
    return this.takeLate(kind, this.#lastCaptureMs, nowMs, bytes);
  }

  /** As take, for a queued message, whose capture time is older than what was sent meanwhile and is not changed. */
  takeLate(kind: InFlight['kind'], captureMs: number, nowMs: number, bytes: number): Numbered {
    const seq = this.#nextSeq;
    this.#nextSeq = (seq + 1) & 0xffff;
    this.#inFlight.set(seq, { kind, captureMs, sentAtMs: nowMs, bytes });
    return { seq, captureMs };
  }

  /** Removes an acknowledged message; null when it is not in flight here. */
  acknowledge(seq: number): InFlight | null {
    const message = this.#inFlight.get(seq) ?? null;
    this.#inFlight.delete(seq);
    return message;
  }

  /** Forgets what was in flight: the connection is lost, and so are its acknowledgements. */
  dropPending(): void {
    this.#inFlight.clear();
  }

  /** Starts again with a new session, whose clock starts at 0. */
  reset(): void {
    this.#inFlight.clear();
    this.#lastCaptureMs = -1;
  }
}
