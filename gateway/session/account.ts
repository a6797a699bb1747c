import type { FocusState, Mode, Rule } from '../../shared/direction.ts';
import { EMPTY_TOTALS } from '../../shared/focus/account.ts';
import type { FocusTotals } from '../../shared/focus/focus.ts';
import {
  createFocusTracker,
  type FocusTrackerState,
  MAX_COVER_MS,
  observeSample,
  settle,
  totalsOf,
} from '../../shared/focus/tracker.ts';
import { NO_SIDE_TIMES, type SideTimes } from '../../shared/metrics-window.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import type { PauseReason } from '../../shared/pause.ts';
import { NO_SUSPICION, type Suspicion } from './suspicion.ts';

/** How far a client's capture clock may run ahead of the gateway's before its frames count for nothing. */
export const CLOCK_SLACK_MS = 2000;

/** From `atMs` of the capture clock on, time belongs to another lesson section. */
export interface SectionSwitch {
  readonly atMs: number;
  readonly sectionId: number | null;
}

interface Counters extends SideTimes {
  readonly framesReceived: number;
  readonly framesProcessed: number;
  readonly framesDropped: number;
  readonly framesWithFace: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly gatewayMsSum: number;
  readonly lateMs: number;
}

export const NO_COUNTS: Counters = {
  framesReceived: 0,
  framesProcessed: 0,
  framesDropped: 0,
  framesWithFace: 0,
  bytesUp: 0,
  bytesDown: 0,
  gatewayMsSum: 0,
  lateMs: 0,
  ...NO_SIDE_TIMES,
};

/** Where pauses of a reason are counted. */
const PAUSED_MS = {
  hidden: 'pausedHiddenMs',
  student: 'pausedStudentMs',
  camera: 'pausedCameraMs',
} as const satisfies Record<PauseReason, keyof SideTimes>;

/** Time that a session of the student covers, ms. */
export interface TakenSpan {
  readonly sessionId: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * The time account of one tracking session: whose it is, what has been counted, what has been put
 * into windows already. It outlives connections. Three clocks meet here: UTC (`nowMs`, from the
 * gateway), the client's capture clock, and the tracker's, which is the capture clock less pauses.
 */
export interface SessionAccount {
  readonly sessionId: string;
  readonly epoch: number;
  readonly userId: number;
  readonly moduleId: number;
  readonly sectionId: number | null;
  /** Switches to other sections that no sample has reached yet, in order. */
  readonly switches: readonly SectionSwitch[];
  readonly mode: Mode;
  /** True while only late messages count: the connection delivers what an outage left (L-7). */
  readonly lateOnly: boolean;
  readonly rule: Rule;
  /** The browser that calibrations are kept for; null when it does not say. */
  readonly deviceId: string | null;
  /** UTC ms at which the calibration in use (the tracker has it) was made; null without one. */
  readonly calibratedAtMs: number | null;
  /** UTC ms at capture clock 0; null before the first start. */
  readonly clockZeroMs: number | null;
  /** UTC ms at 0 of the monotonic clock, as the connection has it: a corrected system clock is followed with the next one. */
  readonly clockOffsetMs: number;
  /** Capture clock at which this epoch began to count. */
  readonly epochFromMs: number;
  /** Time that other sessions of the student have, UTC ms: it belongs to none of this one's. */
  readonly taken: readonly TakenSpan[];
  /** UTC ms of the first start; null before it. */
  readonly startedAtMs: number | null;
  /** Capture clock minus tracker clock: grows by the length of each pause. */
  readonly pausedMs: number;
  /** Capture clock at which capture stopped on purpose; null while it runs. */
  readonly stoppedAtMs: number | null;
  /** Why it stopped, where the client said so. */
  readonly pauseReason: PauseReason | null;
  /** True while more than one face is seen; held between the pictures in which faces are counted. */
  readonly hasCompany: boolean;
  /** Capture clock of the newest sample. */
  readonly lastCaptureMs: number;
  readonly tracker: FocusTrackerState;
  /** Totals from before this account was rebuilt from the store. */
  readonly base: FocusTotals;
  /** The tracker's totals at the last window. */
  readonly flushed: FocusTotals;
  readonly seq: number;
  readonly counts: Counters;
  /** What the device's observations looked like. */
  readonly suspicion: Suspicion;
}

export function openAccount(options: {
  sessionId: string;
  userId: number;
  moduleId: number;
  rule: Rule;
}): SessionAccount {
  return {
    ...options,
    epoch: 0,
    sectionId: null,
    switches: [],
    mode: 'server',
    lateOnly: false,
    deviceId: null,
    calibratedAtMs: null,
    clockZeroMs: null,
    clockOffsetMs: 0,
    epochFromMs: 0,
    taken: [],
    startedAtMs: null,
    pausedMs: 0,
    stoppedAtMs: null,
    pauseReason: null,
    hasCompany: false,
    lastCaptureMs: 0,
    tracker: createFocusTracker({ rule: options.rule }),
    base: EMPTY_TOTALS,
    flushed: EMPTY_TOTALS,
    seq: 0,
    counts: NO_COUNTS,
    suspicion: NO_SUSPICION,
  };
}

/** Time that the totals cover, ms: the sum of all kinds. */
export function coveredMs(totals: FocusTotals): number {
  return totals.focusedMs + totals.unfocusedMs + totals.unknownMs + totals.untrackedMs;
}

/**
 * An account for a session that is resumed while its report is unavailable: it counts from now, and its totals begin at 0.
 * What is stored stays as it is, for the next window has a key of its own.
 */
export function resumeWithoutReport(options: {
  sessionId: string;
  userId: number;
  moduleId: number;
  rule: Rule;
  startedAtMs: number;
  nowMs: number;
}): SessionAccount {
  const { startedAtMs, nowMs, ...identity } = options;
  const elapsedMs = Math.max(0, Math.round(nowMs - startedAtMs));
  return {
    ...openAccount(identity),
    startedAtMs,
    clockZeroMs: startedAtMs,
    pausedMs: elapsedMs,
    lastCaptureMs: elapsedMs,
  };
}

/**
 * Rebuilds an account on a replica that does not know the session, from what is stored. `base` are the stored totals, which
 * end at `endedAtMs` (UTC): the time since then becomes untracked with the first sample. Pauses are why they may cover less
 * time than has passed until then.
 */
export function rebuildAccount(options: {
  sessionId: string;
  userId: number;
  moduleId: number;
  rule: Rule;
  startedAtMs: number;
  endedAtMs: number;
  base: FocusTotals;
}): SessionAccount {
  const { base, startedAtMs, endedAtMs, ...identity } = options;
  const elapsedMs = Math.max(coveredMs(base), endedAtMs - startedAtMs);
  return {
    ...openAccount(identity),
    base,
    startedAtMs,
    clockZeroMs: startedAtMs,
    pausedMs: elapsedMs,
    lastCaptureMs: elapsedMs,
  };
}

/** The account on a connection's clock: what a corrected system clock has jumped by is no time that has passed. */
export function onClock(account: SessionAccount, offsetMs: number): SessionAccount {
  const { clockZeroMs, clockOffsetMs } = account;
  const moved = clockZeroMs === null ? null : clockZeroMs + Math.round(offsetMs - clockOffsetMs);
  return { ...account, clockZeroMs: moved, clockOffsetMs: offsetMs, epochFromMs: account.lastCaptureMs };
}

/** The same account under a new connection: windows get a key that no earlier connection used. */
export function nextEpoch(account: SessionAccount, epochBefore: number, nowMs: number): SessionAccount {
  // Whole seconds since the start keep epochs of replicas that do not know each other apart.
  const elapsedS = account.startedAtMs === null ? 0 : Math.floor((nowMs - account.startedAtMs) / 1000);
  return { ...account, epoch: Math.max(account.epoch, epochBefore, elapsedS) + 1, seq: 0 };
}

/** Capture clock now, by the gateway's reckoning; 0 before the first start. */
export function captureClock(account: SessionAccount, nowMs: number): number {
  return account.clockZeroMs === null ? 0 : Math.max(account.lastCaptureMs, Math.round(nowMs - account.clockZeroMs));
}

/** Capture starts, or starts again after a stop: the pause between belongs to no kind of time. */
export function startCapture(
  account: SessionAccount,
  start: { atMs: number; sectionId: number | null; mode: Mode },
  nowMs: number,
): SessionAccount {
  const placed = { ...account, sectionId: start.sectionId, mode: start.mode };
  if (account.clockZeroMs === null) {
    return {
      ...placed,
      clockZeroMs: Math.round(nowMs) - start.atMs,
      startedAtMs: Math.round(nowMs),
      pausedMs: start.atMs,
      lastCaptureMs: start.atMs,
      epochFromMs: start.atMs,
      stoppedAtMs: null,
    };
  }
  if (account.stoppedAtMs === null) return placed;
  const resumedAtMs = Math.max(account.stoppedAtMs, Math.min(start.atMs, captureClock(account, nowMs)));
  const lastedMs = resumedAtMs - account.stoppedAtMs;
  const resumed = {
    ...placed,
    pausedMs: account.pausedMs + lastedMs,
    lastCaptureMs: resumedAtMs,
    stoppedAtMs: null,
    pauseReason: null,
  };
  const { pauseReason } = account;
  return pauseReason === null ? resumed : addCounts(resumed, { [PAUSED_MS[pauseReason]]: lastedMs });
}

/** True when a sample of this capture time can be counted: it moves forward and does not run ahead of the real clock. */
export function isTimely(account: SessionAccount, captureMs: number, nowMs: number): boolean {
  if (account.clockZeroMs === null || captureMs < account.lastCaptureMs) return false;
  // Nothing can come twice before the first sample.
  if (captureMs === account.lastCaptureMs && account.tracker.atMs !== null) return false;
  return captureMs <= nowMs - account.clockZeroMs + CLOCK_SLACK_MS;
}

/** Counts one sample; `observation` null means that the camera shows nothing usable. Faces are counted in some pictures only. */
export function countSample(
  account: SessionAccount,
  captureMs: number,
  observation: FaceObservation | null,
): SessionAccount {
  const atMs = Math.max(0, captureMs - account.pausedMs);
  const coveredMs = captureMs - account.lastCaptureMs;
  const hasCompany = observation?.detectorRan === true ? observation.faceCount > 1 : account.hasCompany;
  const secondFaceMs = hasCompany && coveredMs <= MAX_COVER_MS ? coveredMs : 0;
  return {
    ...(secondFaceMs === 0 ? account : addCounts(account, { secondFaceMs })),
    tracker: observeSample(account.tracker, { atMs, observation }),
    lastCaptureMs: captureMs,
    hasCompany,
  };
}

/** Brings the account up to a moment of the capture clock and decides what was still undecided. */
export function settleAccount(account: SessionAccount, captureMs: number): SessionAccount {
  const atMs = Math.max(0, captureMs - account.pausedMs);
  return {
    ...account,
    tracker: settle(account.tracker, atMs),
    lastCaptureMs: Math.max(account.lastCaptureMs, captureMs),
  };
}

/** Capture ends on purpose. A moment ahead of the real clock is brought back to it. `reason`: why, where that is known. */
export function stopCapture(
  account: SessionAccount,
  atMs: number,
  nowMs: number,
  reason: PauseReason | null = null,
): SessionAccount {
  const stoppedAtMs = Math.max(account.lastCaptureMs, Math.min(atMs, captureClock(account, nowMs)));
  return { ...settleAccount(account, stoppedAtMs), stoppedAtMs, pauseReason: reason };
}

/** Adds to the counters of the window being filled. */
export function addCounts(account: SessionAccount, counts: Partial<Counters>): SessionAccount {
  const { counts: before } = account;
  return {
    ...account,
    counts: {
      framesReceived: before.framesReceived + (counts.framesReceived ?? 0),
      framesProcessed: before.framesProcessed + (counts.framesProcessed ?? 0),
      framesDropped: before.framesDropped + (counts.framesDropped ?? 0),
      framesWithFace: before.framesWithFace + (counts.framesWithFace ?? 0),
      bytesUp: before.bytesUp + (counts.bytesUp ?? 0),
      bytesDown: before.bytesDown + (counts.bytesDown ?? 0),
      gatewayMsSum: before.gatewayMsSum + (counts.gatewayMsSum ?? 0),
      lateMs: before.lateMs + (counts.lateMs ?? 0),
      pausedHiddenMs: before.pausedHiddenMs + (counts.pausedHiddenMs ?? 0),
      pausedStudentMs: before.pausedStudentMs + (counts.pausedStudentMs ?? 0),
      pausedCameraMs: before.pausedCameraMs + (counts.pausedCameraMs ?? 0),
      secondFaceMs: before.secondFaceMs + (counts.secondFaceMs ?? 0),
    },
  };
}

/** Totals of the whole session so far. */
export function accountTotals(account: SessionAccount): FocusTotals {
  return addTotals(account.base, totalsOf(account.tracker));
}

/** Totals of two parts of a session; directions are those of the later part. */
export function addTotals(base: FocusTotals, own: FocusTotals): FocusTotals {
  const add = (state: FocusState) => base[`${state}Ms`] + own[`${state}Ms`];
  return {
    focusedMs: add('focused'),
    unfocusedMs: add('unfocused'),
    unknownMs: add('unknown'),
    untrackedMs: add('untracked'),
    directionMs: own.directionMs,
    focusBouts: base.focusBouts + own.focusBouts,
    unfocusBouts: base.unfocusBouts + own.unfocusBouts,
  };
}

/** Totals as messages carry them. */
export function plainTotals({ focusedMs, unfocusedMs, unknownMs, untrackedMs }: FocusTotals) {
  return { focusedMs, unfocusedMs, unknownMs, untrackedMs };
}
