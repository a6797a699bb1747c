import * as z from 'zod';
import { DIRECTIONS, FOCUS_STATES, MODES, RULES } from '../direction.ts';
import { count, dateSchema, figuresShape, idSchema, ms, nameOrNull, share, utcMs } from './figures.ts';
import { suspectSchema } from './session.ts';

export const dayRowSchema = z.object({ day: dateSchema, ...figuresShape });
export const hourRowSchema = z.object({ hour: z.int().min(0).max(23), ...figuresShape });
export const classRowSchema = z.object({ className: nameOrNull, ...figuresShape });
export const studentRowSchema = z.object({
  userId: idSchema,
  name: nameOrNull,
  className: nameOrNull,
  lastSeenAtMs: utcMs.describe('end of their newest session, whatever the range'),
  ...figuresShape,
});
export const moduleRowSchema = z.object({ moduleId: idSchema, title: nameOrNull, ...figuresShape });
export const sectionRowSchema = z.object({ sectionId: idSchema.nullable(), title: nameOrNull, ...figuresShape });

export const sessionRowSchema = z.object({
  sessionId: z.string(),
  userId: idSchema,
  name: nameOrNull,
  className: nameOrNull,
  moduleId: idSchema,
  moduleTitle: nameOrNull,
  startedAtMs: utcMs,
  endedAtMs: utcMs,
  final: z.boolean().describe('false while the session may be continued'),
  mode: z.enum(MODES),
  rule: z.enum(RULES),
  suspect: suspectSchema,
  ...figuresShape,
});

/** One step of a lesson section's time line: time that students spend in the section, however they got there. */
export const timelineRowSchema = z.object({
  startMs: ms.describe('time spent in the section before this step'),
  endMs: ms,
  students: count,
  sessions: count,
  focusedMs: ms,
  unfocusedMs: ms,
  unknownMs: ms,
  untrackedMs: ms,
  focusShare: share,
  distractions: count.describe('stretches away from the screen that began in this step'),
  distractionMs: ms.describe('their length together'),
  distractionsPerStudent: z.number().min(0).nullable(),
});

/** A student who is being tracked now. */
export const liveRowSchema = z.object({
  sessionId: z.string(),
  userId: idSchema,
  name: nameOrNull,
  className: nameOrNull,
  moduleId: idSchema,
  moduleTitle: nameOrNull,
  sectionId: idSchema.nullable(),
  sectionTitle: nameOrNull,
  startedAtMs: utcMs.nullable().describe('null before the first picture'),
  phase: z.enum(['ready', 'tracking', 'stopping']),
  state: z.enum(FOCUS_STATES).nullable().describe('null while nothing is tracked'),
  direction: z.enum(DIRECTIONS).nullable(),
  focusedMs: ms,
  trackedMs: ms,
  focusShare: share,
});

export type DayRow = z.infer<typeof dayRowSchema>;
export type HourRow = z.infer<typeof hourRowSchema>;
export type ClassRow = z.infer<typeof classRowSchema>;
export type StudentRow = z.infer<typeof studentRowSchema>;
export type ModuleRow = z.infer<typeof moduleRowSchema>;
export type SectionRow = z.infer<typeof sectionRowSchema>;
export type SessionRow = z.infer<typeof sessionRowSchema>;
export type TimelineRow = z.infer<typeof timelineRowSchema>;
export type LiveRow = z.infer<typeof liveRowSchema>;
