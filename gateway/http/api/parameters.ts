import * as z from 'zod';
import { type DateRange, DEFAULT_DAYS, dateAt, dateRange, MAX_DAYS } from '../../../shared/report/range.ts';
import { type Reader, studentFor } from '../../auth/reader.ts';
import type { Slice } from '../../reports/port.ts';
import type { ApiDependencies } from './route.ts';

/** Rows in one CSV file at most. */
const CSV_ROWS = 100_000;

export const idParameter = z.coerce.number().int().min(1).max(2_147_483_647);

export const rangeParameters = {
  from: z.iso.date().optional().describe(`first day, YYYY-MM-DD; without it ${DEFAULT_DAYS} days up to the last`),
  to: z.iso
    .date()
    .optional()
    .describe(`last day, YYYY-MM-DD; today, by the database's clocks, without it; at most ${MAX_DAYS} days`),
};

export const classParameter = {
  class: z.string().min(1).max(100).optional().describe('school class (users.section)'),
};

export const scopeParameters = {
  ...rangeParameters,
  ...classParameter,
  userId: idParameter.optional().describe('one student'),
  moduleId: idParameter.optional().describe('one module'),
};

/** For the audit line of an answer about one student: who was asked for, or the student who asks. */
export function studentAsked(answer: {
  readonly request: { readonly reader: Reader; readonly query: { readonly userId?: number | undefined } };
}): readonly number[] {
  const { reader, query } = answer.request;
  const userId = studentFor(reader, query.userId);
  return userId === undefined ? [] : [userId];
}

export const pageParameters = {
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  pageSize: z.coerce.number().int().min(1).max(200).default(50).describe('not used for CSV, which has all rows'),
};

/** A lesson section's id, or `none` for time spent in no section. */
export const sectionParameter = z
  .union([z.literal('none'), idParameter])
  .describe('section id, or none for time spent in no section');

export async function rangeOf(
  deps: ApiDependencies,
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
): Promise<DateRange> {
  if (query.to !== undefined) return dateRange(query, query.to);
  const nowMs = deps.now();
  return dateRange(query, dateAt(nowMs, await deps.reports.utcOffsetMs(nowMs)));
}

/** The rows to fetch: one page, or all of them. */
export function sliceOf(query: { readonly page: number; readonly pageSize: number }, everything: boolean): Slice {
  if (everything) return { limit: CSV_ROWS, offset: 0 };
  return { limit: query.pageSize, offset: (query.page - 1) * query.pageSize };
}
