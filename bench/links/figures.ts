import { quantile } from '../lib/stats.ts';

/** What a page has seen of its own traffic. Times in ms on the page's monotonic clock. */
export interface Probe {
  /** Answers to pictures. `atMs` is when the page got it, `capturedAtMs` when the picture was taken. */
  readonly answers: readonly {
    readonly atMs: number;
    readonly capturedAtMs: number;
    /** An observation came of it; false for dropped and refused pictures. */
    readonly isObservation: boolean;
    /** Kept back during an outage and sent later. */
    readonly isLate: boolean;
    /** Totals of the session at that moment; null where the service tells none by state. */
    readonly totalMs: { readonly untracked: number; readonly all: number } | null;
  }[];
  /** When tracking was asked for. */
  readonly startedAtMs: number;
  /** Where observations are made, as the client announced it. */
  readonly mode: string | null;
}

/** The measured part of a page's time. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Figures of one sender over one link; null where there is nothing to take them of. */
export interface LinkFigures {
  readonly kbps: number;
  readonly rttMs: number;
  readonly observationsPerSecond: number;
  /** TCP payload: messages, WebSocket and Socket.IO framing, HTTP. */
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  /** With IP and TCP headers, acknowledgements and repetitions. */
  readonly upWireBytesPerSecond: number;
  readonly downWireBytesPerSecond: number;
  readonly upBytesPerObservation: number | null;
  /** Capture to update on the page, live pictures. */
  readonly latencyMsP50: number | null;
  readonly latencyMsP99: number | null;
  /** Age of the newest observation that the page has, sampled ten times a second. */
  readonly stalenessMsP50: number | null;
  readonly stalenessMsP99: number | null;
  readonly untrackedShare: number;
  /** From the start of tracking to the first observation. */
  readonly firstObservationMs: number | null;
  /** From the end of the outage to the next observation, and to the last that the outage had held back. */
  readonly backMs: number | null;
  readonly caughtUpMs: number | null;
}

/** A longer time without an observation was not tracked (DESIGN: decision 4). */
const MAX_COVER_MS = 2000;
const LOOK_EVERY_MS = 100;

export interface ByteDeltas {
  readonly up: { readonly payloadBytes: number; readonly wireBytes: number };
  readonly down: { readonly payloadBytes: number; readonly wireBytes: number };
}

/** Figures of what a probe saw within a span, with the bytes that its link carried, and after an outage in it. */
export function figuresOf(
  link: { readonly kbps: number; readonly rttMs: number },
  probe: Probe,
  span: Span,
  bytes: ByteDeltas,
  outageEndedAtMs: number | null = null,
): LinkFigures {
  const seconds = (span.toMs - span.fromMs) / 1000;
  const seen = probe.answers.filter(({ isObservation }) => isObservation);
  const within = seen.filter(({ atMs }) => atMs >= span.fromMs && atMs < span.toMs);
  const latenciesMs = within.filter(({ isLate }) => !isLate).map(({ atMs, capturedAtMs }) => atMs - capturedAtMs);
  const agesMs = staleness(seen, span);
  const first = seen[0];
  return {
    kbps: link.kbps,
    rttMs: link.rttMs,
    observationsPerSecond: tidy(within.length / seconds, 2),
    upBytesPerSecond: Math.round(bytes.up.payloadBytes / seconds),
    downBytesPerSecond: Math.round(bytes.down.payloadBytes / seconds),
    upWireBytesPerSecond: Math.round(bytes.up.wireBytes / seconds),
    downWireBytesPerSecond: Math.round(bytes.down.wireBytes / seconds),
    upBytesPerObservation: within.length === 0 ? null : Math.round(bytes.up.payloadBytes / within.length),
    latencyMsP50: wholeQuantile(latenciesMs, 0.5),
    latencyMsP99: wholeQuantile(latenciesMs, 0.99),
    stalenessMsP50: wholeQuantile(agesMs, 0.5),
    stalenessMsP99: wholeQuantile(agesMs, 0.99),
    untrackedShare: tidy(untrackedByTotals(probe, span) ?? untrackedByGaps(seen, span), 4),
    firstObservationMs: first === undefined ? null : Math.round(first.atMs - probe.startedAtMs),
    ...afterOutage(seen, outageEndedAtMs),
  };
}

function tidy(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function wholeQuantile(values: readonly number[], share: number): number | null {
  return values.length === 0 ? null : Math.round(quantile(values, share));
}

function afterOutage(seen: Probe['answers'], endedAtMs: number | null): Pick<LinkFigures, 'backMs' | 'caughtUpMs'> {
  if (endedAtMs === null) return { backMs: null, caughtUpMs: null };
  const since = seen.filter(({ atMs }) => atMs >= endedAtMs);
  const sinceMs = (answer: Probe['answers'][number] | undefined) =>
    answer === undefined ? null : Math.round(answer.atMs - endedAtMs);
  return { backMs: sinceMs(since[0]), caughtUpMs: sinceMs(since.findLast(({ isLate }) => isLate)) };
}

/** Ages of what the page shows; empty while it has shown nothing yet. */
function staleness(seen: Probe['answers'], span: Span): number[] {
  const agesMs: number[] = [];
  let newestMs: number | null = null;
  let next = 0;
  for (let nowMs = span.fromMs; nowMs < span.toMs; nowMs += LOOK_EVERY_MS) {
    for (let answer = seen[next]; answer !== undefined && answer.atMs <= nowMs; answer = seen[++next]) {
      newestMs = Math.max(newestMs ?? answer.capturedAtMs, answer.capturedAtMs);
    }
    if (newestMs !== null) agesMs.push(nowMs - newestMs);
  }
  return agesMs;
}

/** By the session's own totals, where the service tells them; null where it does not. */
function untrackedByTotals(probe: Probe, span: Span): number | null {
  const known = probe.answers.flatMap(({ atMs, totalMs }) => (totalMs === null ? [] : [{ atMs, ...totalMs }]));
  const before = known.findLast(({ atMs }) => atMs <= span.fromMs);
  const after = known.findLast(({ atMs }) => atMs <= span.toMs);
  if (before === undefined || after === undefined || after.all <= before.all) return null;
  return (after.untracked - before.untracked) / (after.all - before.all);
}

/** Share of the span that is further than MAX_COVER_MS from the observation before it, by capture time. */
function untrackedByGaps(seen: Probe['answers'], span: Span): number {
  const capturedAtMs = seen
    .filter(({ atMs }) => atMs <= span.toMs)
    .map((answer) => answer.capturedAtMs)
    .sort((a, b) => a - b);
  let untrackedMs = 0;
  let fromMs = span.fromMs;
  for (const atMs of [...capturedAtMs, span.toMs]) {
    if (atMs <= fromMs) continue;
    if (atMs - fromMs > MAX_COVER_MS) untrackedMs += Math.min(atMs, span.toMs) - fromMs;
    fromMs = atMs;
  }
  return untrackedMs / (span.toMs - span.fromMs);
}

/** How many times fewer bytes the first sends per observation than the second; null when either has none. */
export function bytesRatio(ours: LinkFigures | null, seed: LinkFigures | null): number | null {
  if (ours?.upBytesPerObservation == null || seed?.upBytesPerObservation == null) return null;
  return tidy(seed.upBytesPerObservation / ours.upBytesPerObservation, 1);
}
