import * as z from 'zod';
import { dateSchema, detailShape, idSchema, nameOrNull, totalsSchema, utcMs } from './figures.ts';
import * as rows from './rows.ts';

/** Ways to sort the list of students. */
export const STUDENT_ORDERS = ['name', 'className', 'focusShare', 'trackedMs', 'sessions', 'lastSeenAtMs'] as const;
export type StudentOrder = (typeof STUDENT_ORDERS)[number];

export const rangeSchema = z.object({
  from: dateSchema,
  to: dateSchema,
});

export const pageSchema = z.object({
  page: z.int().min(1),
  pageSize: z.int().min(1),
  total: z.int().min(0).describe('rows on all pages'),
});

const list = <T extends z.ZodType>(row: T) => z.object({ range: rangeSchema, rows: z.array(row) });
const paged = <T extends z.ZodType>(row: T) => z.object({ range: rangeSchema, page: pageSchema, rows: z.array(row) });

/** Bodies of the answers under `/api/v1`. The gateway promises them, the dashboard checks them. */
export const answers = {
  me: z.object({
    userId: idSchema,
    role: z.enum(['student', 'teacher', 'admin']),
    name: nameOrNull,
    reads: z
      .object({
        kind: z.enum(['student', 'named', 'groups', 'school']),
        classes: z.array(z.string()),
        modules: z.array(idSchema),
        minGroup: z.int().min(1).nullable().describe('fewest students of a module and day that are shown'),
      })
      .describe('of whom: oneself, named classes and modules, whole groups, everybody'),
    utcOffsetMs: z.int().describe('clocks of the database, whose days and hours all reports go by, minus UTC'),
  }),
  revoked: z.object({ userId: idSchema, atMs: utcMs }),
  token: z.object({ token: z.string(), expiresAtMs: utcMs }),
  overview: z.object({ range: rangeSchema, overview: totalsSchema }),
  days: list(rows.dayRowSchema),
  hours: list(rows.hourRowSchema),
  classes: list(rows.classRowSchema),
  students: paged(rows.studentRowSchema),
  student: z.object({
    range: rangeSchema,
    student: z.object({ userId: idSchema, name: nameOrNull, className: nameOrNull, ...detailShape }),
  }),
  modules: list(rows.moduleRowSchema),
  module: z.object({ range: rangeSchema, module: z.object({ moduleId: idSchema, title: nameOrNull, ...detailShape }) }),
  sections: list(rows.sectionRowSchema),
  section: z.object({
    range: rangeSchema,
    section: z.object({
      moduleId: idSchema,
      moduleTitle: nameOrNull,
      sectionId: idSchema.nullable(),
      title: nameOrNull,
      ...detailShape,
    }),
  }),
  timeline: z.object({
    range: rangeSchema,
    stepMs: z.int().min(1),
    rows: z.array(rows.timelineRowSchema),
  }),
  sessions: paged(rows.sessionRowSchema),
  studentData: z.object({
    userId: idSchema,
    exportedAtMs: utcMs,
    tables: z.record(z.string(), z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()])))),
  }),
  studentDeleted: z.object({
    userId: idSchema,
    deleted: z.record(z.string(), z.int().min(0)).describe('rows by table'),
  }),
  live: z.object({ atMs: utcMs, rows: z.array(rows.liveRowSchema) }),
} as const;
