import type { FrameSize } from '../../../shared/geometry.ts';
import {
  chooseFormat,
  type FormatBounds,
  type FormatChoice,
  formatOf,
  goodAllowanceBps,
  LOWEST_CHOICE,
  OVERHEAD_BYTES,
  type PictureFormat,
  tableBytes,
} from './formats.ts';
import { type LinkEstimate, NO_ESTIMATE, noteRtt, steadyQueueingMs } from './link-estimate.ts';

/** Most observations per second that are worth their bytes: focus changes in seconds. */
export const MAX_FPS = 5;
/** With "use less data". */
const SAVER_FPS = 3;
/** A gateway that asks for 0 is still asked now and then, or its answer could never change. */
const MIN_FPS = 0.2;

/** Bytes per second at the start: two or three pictures, which 64 kbit/s carry with room to spare. */
const FIRST_ALLOWANCE_BPS = 4000;
/** One of the smallest pictures a second: below that, time would go untracked. */
const MIN_ALLOWANCE_BPS = 1200;
/** More than the best pictures at the highest rate take. */
const MAX_ALLOWANCE_BPS = 24_000;
const SAVER_ALLOWANCE_BPS = 5000;
/** Share of a link's capacity that pictures may take: the rest is the lesson's. */
const FAIR_SHARE = 0.5;

/** Growth per second until the link first pushes back, and after that in bytes per second and second. */
const PROBE_FACTOR = 1.5;
const PROBE_STEP_BPS = 600;
/** Delay beyond the empty link's that makes the allowance stop growing, and fall. */
const CALM_QUEUE_MS = 100;
const FULL_QUEUE_MS = 200;
const DEEP_QUEUE_MS = 1000;
const DECREASE_FACTOR = 0.7;
const DEEP_DECREASE_FACTOR = 0.5;
/** A decrease must show in the delay before the next one. */
const MIN_DECREASE_INTERVAL_MS = 1000;
/** An acknowledgement that is this late, beyond its usual time, counts as a deep queue. */
const OVERDUE_MS = 2000;
/** An allowance grows where it is used, or lies far below the capacity: a still student proves little about a link. */
const USED_SHARE = 0.5;
const PROVEN_SHARE = 0.25;
/** Time constant of the rate of sending, ms. */
const SENT_RATE_MS = 2000;
/** Pictures that may go out in a row after a quiet stretch. */
const BURST_MS = 500;
const SCALE_WEIGHT = 0.2;
const MIN_SCALE = 0.3;
const MAX_SCALE = 4;

/** What the page, the gateway and the browser allow. */
export interface PacingBounds extends FormatBounds {
  /** Pictures per second, by the page (null = it asks for none) and by the gateway (null = unknown yet). */
  readonly pageFps: number | null;
  readonly gatewayFps: number | null;
}

/** State of pacing: what is known of the link and what may be sent on it. */
export interface PacingState {
  readonly bounds: PacingBounds;
  readonly link: LinkEstimate;
  /** Bytes per second that may be sent. */
  readonly allowanceBps: number;
  /** False once the link has pushed back: growth is additive then. */
  readonly probing: boolean;
  readonly choice: FormatChoice;
  /** Bytes of this student's crops and whole frames against the table's. */
  readonly scale: { readonly crop: number; readonly whole: number };
  /** Bytes that may go out now; negative after a picture larger than expected. */
  readonly balanceBytes: number;
  readonly balanceAtMs: number;
  /** Rate of sending lately, bytes per second. */
  readonly sentBps: number;
  readonly grownAtMs: number;
  readonly decreasedAtMs: number;
}

export type PacingEvent =
  | { readonly type: 'bounds'; readonly bounds: PacingBounds }
  /** A new socket: the way may be another one. */
  | { readonly type: 'connected'; readonly nowMs: number }
  | { readonly type: 'sent'; readonly nowMs: number; readonly bytes: number; readonly picture: SentPictureSize | null }
  /** Of a message of the hot path, or of a control message that is answered at once. */
  | { readonly type: 'acknowledged'; readonly nowMs: number; readonly sentAtMs: number; readonly bytes: number }
  /** A message is due and cannot leave. `oldestSentAtMs`: of those without an acknowledgement. */
  | {
      readonly type: 'blocked';
      readonly nowMs: number;
      readonly bufferedBytes: number;
      readonly oldestSentAtMs: number | null;
    };

/** How a picture was drawn. */
export interface SentPictureSize {
  readonly size: FrameSize;
  readonly whole: boolean;
}

/** State before the first connection. */
export function initialPacing(bounds: PacingBounds, nowMs: number): PacingState {
  return {
    bounds,
    link: NO_ESTIMATE,
    allowanceBps: FIRST_ALLOWANCE_BPS,
    probing: true,
    choice: LOWEST_CHOICE,
    scale: { crop: 1, whole: 1 },
    balanceBytes: 0,
    balanceAtMs: nowMs,
    sentBps: 0,
    grownAtMs: nowMs,
    decreasedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** What an event makes of the state. Times are on one monotonic clock, ms. */
export function stepPacing(state: PacingState, event: PacingEvent): PacingState {
  switch (event.type) {
    case 'bounds':
      return choose(clamped({ ...state, bounds: event.bounds }));
    case 'connected':
      return choose({
        ...state,
        link: NO_ESTIMATE,
        allowanceBps: Math.min(state.allowanceBps, FIRST_ALLOWANCE_BPS),
        probing: true,
        balanceBytes: 0,
        balanceAtMs: event.nowMs,
        sentBps: 0,
        grownAtMs: event.nowMs,
      });
    case 'sent':
      return onSent(state, event);
    case 'acknowledged':
      return onAcknowledged(state, event);
    case 'blocked':
      return onBlocked(state, event);
  }
}

/** Observations per second that are wanted: the least of what page and gateway allow, and five. */
export function wantedFps({ pageFps, gatewayFps }: PacingBounds): number {
  return Math.max(MIN_FPS, Math.min(MAX_FPS, pageFps ?? MAX_FPS, gatewayFps ?? MAX_FPS));
}

/** Most pictures per second: fewer than wanted where less data is. */
export function mostFps(bounds: PacingBounds): number {
  return Math.min(wantedFps(bounds), bounds.lessData ? SAVER_FPS : MAX_FPS);
}

/** Format of the next picture; `mostQuality` 0–1 is the page's upper bound. */
export function nextFormat({ choice }: PacingState, mostQuality: number): PictureFormat {
  return formatOf(choice, mostQuality);
}

/** How long a picture of this size has to wait until the allowance covers it, ms; 0 = it may go now. */
export function pictureWaitMs(state: PacingState, picture: SentPictureSize, nowMs: number): number {
  const missing = expectedBytes(state, picture) + OVERHEAD_BYTES - balanceAt(state, nowMs);
  // A picture larger than a burst must not wait for a balance that never comes.
  const attainable = Math.min(missing, burstBytes(state) - balanceAt(state, nowMs));
  return Math.max(0, (attainable * 1000) / state.allowanceBps);
}

/** True when pictures are fewer or smaller than they would be on a good link. */
export function isSlow({ allowanceBps, link, probing, bounds, scale }: PacingState): boolean {
  if (bounds.lessData) return false;
  const goodBps = goodAllowanceBps(bounds, scale.crop);
  return (!probing && allowanceBps < goodBps) || (link.capacityBps !== null && link.capacityBps * FAIR_SHARE < goodBps);
}

function onSent(state: PacingState, event: Extract<PacingEvent, { type: 'sent' }>): PacingState {
  const { nowMs, picture } = event;
  const bytes = event.bytes + OVERHEAD_BYTES;
  const elapsedMs = Math.max(0, nowMs - state.balanceAtMs);
  const decay = Math.exp(-elapsedMs / SENT_RATE_MS);
  const paid: PacingState = {
    ...state,
    balanceBytes: balanceAt(state, nowMs) - bytes,
    balanceAtMs: nowMs,
    sentBps: state.sentBps * decay + (bytes * 1000) / SENT_RATE_MS,
  };
  if (picture === null) return paid;
  const kind = picture.whole ? 'whole' : 'crop';
  const ratio = event.bytes / tableBytes(state.choice, picture.size);
  const learned = state.scale[kind] + SCALE_WEIGHT * (ratio - state.scale[kind]);
  return { ...paid, scale: { ...state.scale, [kind]: Math.min(MAX_SCALE, Math.max(MIN_SCALE, learned)) } };
}

function onAcknowledged(state: PacingState, event: Extract<PacingEvent, { type: 'acknowledged' }>): PacingState {
  const { nowMs, sentAtMs } = event;
  const rttMs = Math.max(0, nowMs - sentAtMs);
  const link = noteRtt(state.link, { nowMs, rttMs, bytes: event.bytes + OVERHEAD_BYTES });
  const next = { ...state, link };
  const deep = (steadyQueueingMs(link, 2) ?? 0) > DEEP_QUEUE_MS;
  if (deep || (steadyQueueingMs(link, 3) ?? 0) > FULL_QUEUE_MS) {
    return choose(decrease(next, nowMs, Math.max(MIN_DECREASE_INTERVAL_MS, rttMs), deep));
  }
  return choose(clamped((steadyQueueingMs(link, 1) ?? 0) < CALM_QUEUE_MS ? grow(next, nowMs) : next));
}

function onBlocked(state: PacingState, event: Extract<PacingEvent, { type: 'blocked' }>): PacingState {
  const { nowMs, bufferedBytes, oldestSentAtMs } = event;
  const waitingMs = oldestSentAtMs === null ? 0 : nowMs - oldestSentAtMs;
  // The socket's own buffer is behind the system's: bytes in it mean that both are full.
  if (bufferedBytes === 0 && waitingMs < OVERDUE_MS) return state;
  return choose(decrease(state, nowMs, OVERDUE_MS, true));
}

function grow(state: PacingState, nowMs: number): PacingState {
  const elapsedS = Math.min(1000, nowMs - state.grownAtMs) / 1000;
  const { allowanceBps, link, probing, sentBps } = state;
  const used = sentBps >= USED_SHARE * allowanceBps;
  const proven = link.capacityBps !== null && allowanceBps < PROVEN_SHARE * link.capacityBps;
  if (!used && !proven) return { ...state, grownAtMs: nowMs };
  const grown = probing ? allowanceBps * PROBE_FACTOR ** elapsedS : allowanceBps + PROBE_STEP_BPS * elapsedS;
  return { ...state, allowanceBps: grown, grownAtMs: nowMs };
}

function decrease(state: PacingState, nowMs: number, intervalMs: number, deep: boolean): PacingState {
  if (nowMs - state.decreasedAtMs < intervalMs) return state;
  return clamped({
    ...state,
    allowanceBps: state.allowanceBps * (deep ? DEEP_DECREASE_FACTOR : DECREASE_FACTOR),
    probing: false,
    balanceBytes: Math.min(0, state.balanceBytes),
    grownAtMs: nowMs,
    decreasedAtMs: nowMs,
  });
}

function clamped(state: PacingState): PacingState {
  const { bounds, link } = state;
  const fairBps = link.capacityBps === null ? MAX_ALLOWANCE_BPS : link.capacityBps * FAIR_SHARE;
  const mostBps = Math.min(bounds.lessData ? SAVER_ALLOWANCE_BPS : MAX_ALLOWANCE_BPS, fairBps);
  return { ...state, allowanceBps: Math.max(MIN_ALLOWANCE_BPS, Math.min(state.allowanceBps, mostBps)) };
}

function choose(state: PacingState): PacingState {
  const choice = chooseFormat(state.allowanceBps, state.scale.crop, state.bounds, state.choice);
  return choice.step === state.choice.step && choice.codec === state.choice.codec ? state : { ...state, choice };
}

function expectedBytes({ choice, scale }: PacingState, { size, whole }: SentPictureSize): number {
  return tableBytes(choice, size) * (whole ? scale.whole : scale.crop);
}

function balanceAt(state: PacingState, nowMs: number): number {
  const earned = (Math.max(0, nowMs - state.balanceAtMs) * state.allowanceBps) / 1000;
  return Math.min(burstBytes(state), state.balanceBytes + earned);
}

function burstBytes({ allowanceBps }: PacingState): number {
  return Math.max(1500, (allowanceBps * BURST_MS) / 1000);
}
