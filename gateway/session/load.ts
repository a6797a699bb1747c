import type { Limits } from '../../shared/protocol/control.ts';

/** What limits may be lowered to, step by step: rate first, since each message costs, then size. */
const LADDER: readonly Pick<Limits, 'maxFps' | 'imageSizePx'>[] = [
  { maxFps: 4, imageSizePx: 192 },
  { maxFps: 3, imageSizePx: 160 },
  { maxFps: 2, imageSizePx: 160 },
  { maxFps: 1.5, imageSizePx: 128 },
  { maxFps: 1, imageSizePx: 128 },
];
/** Levels beyond 0, at which the operator's own limits hold. */
export const MAX_LEVEL = LADDER.length;

/** A lower rate must show before the next step down. */
export const STEP_DOWN_MS = 2000;
/** Calm time before a step up; it doubles each time that the step up brings the pressure back. */
export const MIN_CALM_MS = 10_000;
export const MAX_CALM_MS = 160_000;

/** Share of answers that say "too much" from which inference counts as overloaded; below the other one it is calm. */
const HIGH_BUSY_SHARE = 0.05;
const LOW_BUSY_SHARE = 0.01;
/** Fewer busy answers than this prove nothing. */
const MIN_BUSY = 2;
/** Mean lag of the event loop from which this process counts as overloaded; below the other one it is calm, ms. */
const HIGH_LAG_MS = 100;
const LOW_LAG_MS = 30;

/** `high` and `low` are apart, so that a value between them changes nothing. */
export type Reading = 'high' | 'between' | 'low';

/** How far limits are lowered for one cause. Times in ms on one clock that never steps back. */
export interface LoadLevel {
  /** 0 (the operator's limits) – MAX_LEVEL. */
  readonly level: number;
  readonly changedAtMs: number;
  /** Since when the reading has been low; null while it is not. */
  readonly calmSinceMs: number | null;
  /** Calm time that the next step up needs. */
  readonly calmMs: number;
  /** True when the newest change was a step up. */
  readonly isRising: boolean;
}

export const NO_LOAD: LoadLevel = {
  level: 0,
  changedAtMs: Number.NEGATIVE_INFINITY,
  calmSinceMs: null,
  calmMs: MIN_CALM_MS,
  isRising: false,
};

/** Inference in one interval, by the number of its answers and of those that were `busy` or `expired`. */
export function inferenceReading(answers: number, busy: number): Reading {
  if (busy >= MIN_BUSY && busy >= HIGH_BUSY_SHARE * answers) return 'high';
  return busy <= LOW_BUSY_SHARE * answers ? 'low' : 'between';
}

/** This process in one interval, by the mean lag of its event loop, ms. */
export function lagReading(lagMs: number): Reading {
  if (lagMs >= HIGH_LAG_MS) return 'high';
  return lagMs <= LOW_LAG_MS ? 'low' : 'between';
}

/** The level after one more reading: down at once, up only after calm time. */
export function stepLoad(before: LoadLevel, reading: Reading, nowMs: number): LoadLevel {
  if (reading === 'high') {
    const state = { ...before, calmSinceMs: null };
    if (before.level === MAX_LEVEL || nowMs - before.changedAtMs < STEP_DOWN_MS) return state;
    const isBack = before.isRising && nowMs - before.changedAtMs < before.calmMs;
    const calmMs = isBack ? Math.min(MAX_CALM_MS, before.calmMs * 2) : before.calmMs;
    return { ...state, level: before.level + 1, changedAtMs: nowMs, calmMs, isRising: false };
  }
  if (reading === 'between') return { ...before, calmSinceMs: null };
  const calmSinceMs = before.calmSinceMs ?? nowMs;
  const isCalm = nowMs - Math.max(calmSinceMs, before.changedAtMs) >= before.calmMs;
  if (!isCalm) return { ...before, calmSinceMs };
  if (before.level === 0) return NO_LOAD;
  return { ...before, level: before.level - 1, changedAtMs: nowMs, calmSinceMs, isRising: true };
}

/** The limits of each level, from the operator's own (level 0) down; none is above the operator's. */
export function limitsByLevel(own: Limits): readonly Limits[] {
  const lowered = LADDER.map(({ maxFps, imageSizePx }) => ({
    ...own,
    maxFps: Math.min(own.maxFps, maxFps),
    imageSizePx: Math.min(own.imageSizePx, imageSizePx),
  }));
  return [own, ...lowered];
}
