import * as z from 'zod';
import { DIRECTIONS } from '../direction.ts';

/** Identity of users, modules and lesson sections, as in EyeLearn's tables. */
export const idSchema = z.int().min(1).max(2_147_483_647);
export const ms = z.int().min(0);
export const count = z.int().min(0);
export const utcMs = z.int().describe('UTC milliseconds since 1970-01-01');
export const share = z
  .number()
  .min(0)
  .max(1)
  .nullable()
  .describe('fraction 0–1; null where there is nothing to divide by');
export const nameOrNull = z.string().nullable().describe("from EyeLearn's tables; null where they do not have it");
export const dateSchema = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .describe('YYYY-MM-DD');

/** What every row of a report says of some students' time. */
export const figuresShape = {
  sessions: count.describe('tracking sessions that began'),
  students: count.describe('different students'),
  focusedMs: ms,
  unfocusedMs: ms,
  unknownMs: ms.describe('seen, but could not be determined'),
  untrackedMs: ms.describe('no picture or observation arrived'),
  lateMs: ms.describe('part of the time whose messages came late, after an outage'),
  trackedMs: ms.describe('focused + unfocused + unknown'),
  focusShare: share.describe('focusedMs / trackedMs, 0–1; null where nothing was tracked'),
  focusedBouts: count.describe('stretches of focus that ended'),
  unfocusedBouts: count.describe('stretches away from the screen that ended: distractions'),
  longestFocusedBoutMs: ms.nullable(),
};

export const figuresSchema = z.object(figuresShape);
export type Figures = z.infer<typeof figuresSchema>;

/** Times beside the four kinds of time. */
export const sideTimesShape = {
  pausedHiddenMs: ms.describe('paused because the tab was in the background'),
  pausedStudentMs: ms.describe('paused by the student or the page'),
  pausedCameraMs: ms.describe('paused because the camera gave no pictures'),
  secondFaceMs: ms.describe('part of the tracked time in which more than one face was seen'),
};

/** Figures with directions and data quality. */
export const totalsShape = {
  ...figuresShape,
  directionMs: z.partialRecord(z.enum(DIRECTIONS), ms).describe("tracked time by direction; sides are the picture's"),
  framesReceived: count,
  framesProcessed: count,
  framesDropped: count,
  framesWithFace: count,
  bytesUp: count,
  bytesDown: count,
  ...sideTimesShape,
};

export const totalsSchema = z.object(totalsShape);
export type Totals = z.infer<typeof totalsSchema>;

/** The same of one student, module or lesson section, with the lengths of their bouts. */
export const detailShape = {
  ...totalsShape,
  medianFocusedBoutMs: z.number().min(0).nullable(),
  medianUnfocusedBoutMs: z.number().min(0).nullable(),
  longestUnfocusedBoutMs: z.number().min(0).nullable(),
};

export const detailSchema = z.object(detailShape);
export type Detail = z.infer<typeof detailSchema>;

/** `part / whole`, null where there is no whole. */
export function shareOf(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
