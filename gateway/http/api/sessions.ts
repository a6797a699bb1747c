import * as z from 'zod';
import { DIRECTIONS } from '../../../shared/direction.ts';
import { answers } from '../../../shared/report/answers.ts';
import type { SessionRow } from '../../../shared/report/rows.ts';
import { type ReportWindow, sessionAnswerSchema } from '../../../shared/report/session.ts';
import { studentFor } from '../../auth/reader.ts';
import { isInReach } from '../../reports/reach.ts';
import { columnsOf } from '../csv.ts';
import { HttpFault } from '../faults.ts';
import { FIGURE_COLUMNS, SIDE_COLUMNS, timeField } from './columns.ts';
import { pageParameters, rangeOf, scopeParameters, sliceOf } from './parameters.ts';
import { type ApiRoute, defineRoute } from './route.ts';

type SessionAnswer = z.output<typeof sessionAnswerSchema>;
type WindowOfSession = ReportWindow & Pick<SessionAnswer['report'], 'sessionId' | 'userId' | 'moduleId'>;

function windowsOf({ report }: SessionAnswer): readonly WindowOfSession[] {
  const { sessionId, userId, moduleId } = report;
  return report.windows.map((window) => ({ ...window, sessionId, userId, moduleId }));
}

/** Reports on tracking sessions. */
export const sessionRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/sessions',
    summary: 'Sessions begun in the range, the newest first',
    readers: 'own',
    params: {},
    query: { ...scopeParameters, ...pageParameters },
    response: answers.sessions,
    csv: {
      columns: [
        ...columnsOf<SessionRow>({
          session_id: (row) => row.sessionId,
          user_id: (row) => row.userId,
          name: (row) => row.name,
          class: (row) => row.className,
          module_id: (row) => row.moduleId,
          module_title: (row) => row.moduleTitle,
          started_at_utc: (row) => timeField(row.startedAtMs),
          ended_at_utc: (row) => timeField(row.endedAtMs),
          final: (row) => row.final,
          mode: (row) => row.mode,
          rule: (row) => row.rule,
          suspect: (row) => row.suspect,
        }),
        ...FIGURE_COLUMNS.filter(({ name }) => name !== 'sessions' && name !== 'students'),
      ],
      rows: (result) => result.rows,
      name: ({ result }) => `sessions-${result.range.from}-to-${result.range.to}`,
    },
    students: ({ result }) => result.rows.map(({ userId }) => userId),
    async handle(deps, { reader, reach, query, everything }) {
      const range = await rangeOf(deps, query);
      const userId = studentFor(reader, query.userId);
      const { rows, total } = await deps.reports.sessions(
        { reach, range, userId, moduleId: query.moduleId, className: query.class },
        sliceOf(query, everything),
      );
      return { range, page: { page: query.page, pageSize: query.pageSize, total }, rows: [...rows] };
    },
  }),
  defineRoute({
    path: '/api/v1/sessions/{sessionId}',
    summary: 'One session with its windows and bouts',
    readers: 'own',
    params: { sessionId: z.string().meta({ format: 'uuid' }) },
    query: {},
    response: sessionAnswerSchema,
    csv: {
      columns: [
        ...columnsOf<WindowOfSession>({
          session_id: (row) => row.sessionId,
          user_id: (row) => row.userId,
          module_id: (row) => row.moduleId,
          section_id: (row) => row.sectionId,
          epoch: (row) => row.epoch,
          seq: (row) => row.seq,
          started_at_utc: (row) => timeField(row.startedAtMs),
          ended_at_utc: (row) => timeField(row.endedAtMs),
          focused_ms: (row) => row.focusedMs,
          unfocused_ms: (row) => row.unfocusedMs,
          unknown_ms: (row) => row.unknownMs,
          untracked_ms: (row) => row.untrackedMs,
          late_ms: (row) => row.lateMs,
        }),
        ...DIRECTIONS.map((direction) => ({
          name: `${direction === 'unknown' ? 'unknown_direction' : direction}_ms`,
          value: (row: WindowOfSession) => row.directionMs[direction] ?? 0,
        })),
        { name: 'frames_received', value: (row) => row.framesReceived },
        { name: 'frames_processed', value: (row) => row.framesProcessed },
        { name: 'frames_dropped', value: (row) => row.framesDropped },
        { name: 'frames_with_face', value: (row) => row.framesWithFace },
        { name: 'bytes_up', value: (row) => row.bytesUp },
        { name: 'bytes_down', value: (row) => row.bytesDown },
        ...SIDE_COLUMNS,
        { name: 'mode', value: (row) => row.mode },
        { name: 'rule', value: (row) => row.rule },
      ],
      rows: windowsOf,
      name: ({ params }) => `session-${params.sessionId}`,
    },
    students: ({ result }) => [result.report.userId],
    async handle(deps, { reach, params: { sessionId } }) {
      if (!z.uuid().safeParse(sessionId).success) {
        throw new HttpFault(400, 'session_id_invalid', 'a session id is a UUID');
      }
      const report = await deps.findReport(sessionId);
      const unknown = () => new HttpFault(404, 'session_unknown', 'no session of that id is stored');
      if (report === null) throw unknown();
      const { userId, moduleId } = report;
      const sections = report.windows.flatMap((window) => (window.sectionId === null ? [] : [window.sectionId]));
      const names = await deps.reports.names({ users: [userId], modules: [moduleId], sections });
      const className = names.students.get(userId)?.className ?? null;
      // Whose session it is stays untold to those who may not see it.
      if (!isInReach(reach, { userId, className, moduleId })) throw unknown();
      // Parsed, because a stored window holds more than its answer.
      return sessionAnswerSchema.parse({
        report,
        names: {
          student: names.students.get(userId)?.name ?? null,
          className,
          module: names.modules.get(moduleId) ?? null,
          sections: Object.fromEntries(names.sections),
        },
      });
    },
  }),
];
