import { describeError } from '../../shared/errors.ts';
import { dateAt } from '../../shared/report/range.ts';
import { WHOLE_SCHOOL } from '../auth/reach.ts';
import type { ReportDatabase } from './database.ts';
import { createReportStore } from './store.ts';

/** Letters that latin1 lacks, and one that utf8mb3 lacks. */
const TEXTS = ['Peña Łukasz', '王', '😀'];

/**
 * Asks every kind of question that the dashboard and the API ask, of today, and resolves with those that the database refuses:
 * the question's name and what the database says.
 */
export async function tryReports(
  database: ReportDatabase,
  nowMs: number,
): Promise<readonly { readonly question: string; readonly reason: string }[]> {
  const reports = createReportStore(database);
  const day = dateAt(nowMs, 0);
  const scope = { reach: WHOLE_SCHOOL, range: { from: day, to: day } };
  const named = { kind: 'named', classes: TEXTS, moduleIds: [1] } as const;
  const groups = { kind: 'groups', minGroup: 5, before: day } as const;
  const inModule = { ...scope, moduleId: 1 };
  const section = { ...inModule, sectionId: null };
  const slice = { limit: 1, offset: 0 };
  const byName = { ...slice, order: 'name', descending: false } as const;
  const questions: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['time zone', () => reports.utcOffsetMs(nowMs)],
    ['totals', () => reports.totals(scope)],
    ['detail', () => reports.detail({ ...scope, userId: 1 })],
    ['section', () => reports.sectionDetail(section)],
    ['days', () => reports.days(scope)],
    ['hours', () => reports.hours(scope)],
    ['classes', () => reports.classes(scope)],
    ['students', () => reports.students(scope, byName)],
    ...TEXTS.flatMap((text) => [
      [`students by name ${text}`, () => reports.students(scope, { ...byName, search: text })] as const,
      [`class ${text}`, () => reports.totals({ ...scope, className: text })] as const,
    ]),
    ['classes of a teacher', () => reports.totals({ ...scope, reach: named })],
    ['groups', () => reports.totals({ ...scope, reach: groups })],
    ['modules', () => reports.modules(scope)],
    ['sections', () => reports.sections(inModule)],
    ['timeline', () => reports.timeline(section, 60_000)],
    ['sessions', () => reports.sessions(scope, slice)],
    ['names', () => reports.names({ users: [1], modules: [1], sections: [1] })],
  ];
  const refused: { question: string; reason: string }[] = [];
  for (const [question, ask] of questions) {
    try {
      await ask();
    } catch (error) {
      refused.push({ question, reason: describeError(error) });
    }
  }
  return refused;
}
