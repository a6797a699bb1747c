import * as z from 'zod';
import { DIRECTIONS, MODES, RULES } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';
import { type MetricsWindow, SUSPECTS } from '../../shared/metrics-window.ts';

const INT_MAX = 2_147_483_647;
const count = z.int().min(0).max(INT_MAX);
/** UTC milliseconds up to the year 2100, so that no column and no date function overflows. */
const utcMs = z.int().min(0).max(4_102_444_800_000);

const boutSchema = z.object({
  kind: z.enum(['focused', 'unfocused']),
  startedAtMs: utcMs,
  durationMs: count,
});

/** What every store takes. Ranges are those of the narrowest column, in both databases. */
const metricsWindowSchema = z.object({
  sessionId: z.uuid(),
  epoch: count,
  seq: count,
  userId: count,
  moduleId: count,
  sectionId: count.nullable(),
  sessionStartedAtMs: utcMs,
  startedAtMs: utcMs,
  endedAtMs: utcMs,
  focusedMs: count,
  unfocusedMs: count,
  unknownMs: count,
  untrackedMs: count,
  directionMs: z.partialRecord(z.enum(DIRECTIONS), count),
  bouts: z.array(boutSchema),
  framesReceived: count,
  framesProcessed: count,
  framesDropped: count,
  framesWithFace: count,
  bytesUp: count,
  bytesDown: count,
  gatewayMsSum: z.number().min(0),
  // Windows of an earlier version say nothing of these.
  lateMs: count.default(0),
  pausedHiddenMs: count.default(0),
  pausedStudentMs: count.default(0),
  pausedCameraMs: count.default(0),
  secondFaceMs: count.default(0),
  suspect: z.enum(SUSPECTS).nullable().default(null),
  mode: z.enum(MODES),
  rule: z.enum(RULES),
  // Windows that an earlier version of the gateway left in the spool say nothing of calibrations.
  calibrationVersion: count.nullable().default(null),
  calibratedAtMs: utcMs.nullable().default(null),
  final: z.boolean(),
});

/** What was checked before: the queue checks the windows that it reads, and the store those that it is given. */
const checked = new WeakSet<object>();

/**
 * Checks that a value is a metrics window that a store can hold exactly: whole milliseconds, nothing
 * negative, nothing beyond its column. Session ids come back in lower case. Throws RelayError
 * `store_rejected` naming each field that is wrong.
 */
export function parseMetricsWindow(value: unknown): MetricsWindow {
  if (isChecked(value)) return value;
  const parsed = metricsWindowSchema.safeParse(value);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'window'}: ${issue.message}`);
    throw new RelayError('store_rejected', `not a metrics window: ${faults.join('; ')}`);
  }
  const { directionMs, ...rest } = parsed.data;
  const present = DIRECTIONS.flatMap((direction) => {
    const durationMs = directionMs[direction];
    return durationMs === undefined ? [] : [[direction, durationMs] as const];
  });
  const window = { ...rest, sessionId: rest.sessionId.toLowerCase(), directionMs: Object.fromEntries(present) };
  checked.add(window);
  return window;
}

function isChecked(value: unknown): value is MetricsWindow {
  return typeof value === 'object' && value !== null && checked.has(value);
}
