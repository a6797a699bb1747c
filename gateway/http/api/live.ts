import { answers } from '../../../shared/report/answers.ts';
import { shareOf } from '../../../shared/report/figures.ts';
import type { LiveRow } from '../../../shared/report/rows.ts';
import { isInReach } from '../../reports/reach.ts';
import { columnsOf } from '../csv.ts';
import { percentField, timeField } from './columns.ts';
import { type ApiRoute, defineRoute } from './route.ts';

/** Who is there now, and who asks. */
export const liveRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/live',
    summary: 'Students tracked now',
    readers: 'staff',
    params: {},
    query: {},
    response: answers.live,
    csv: {
      columns: [
        ...columnsOf<LiveRow>({
          session_id: (row) => row.sessionId,
          user_id: (row) => row.userId,
          name: (row) => row.name,
          class: (row) => row.className,
          module_id: (row) => row.moduleId,
          module_title: (row) => row.moduleTitle,
          section_id: (row) => row.sectionId,
          section_title: (row) => row.sectionTitle,
          started_at_utc: (row) => timeField(row.startedAtMs),
          phase: (row) => row.phase,
          state: (row) => row.state,
          direction: (row) => row.direction,
          tracked_ms: (row) => row.trackedMs,
          focused_ms: (row) => row.focusedMs,
          focus_share_percent: (row) => percentField(row.focusShare),
        }),
      ],
      rows: (result) => result.rows,
      name: () => 'live',
    },
    students: ({ result }) => result.rows.map(({ userId }) => userId),
    async handle(deps, { reach }) {
      const live = await deps.listLive();
      const names = await deps.reports.names({
        users: live.map(({ userId }) => userId),
        modules: live.map(({ moduleId }) => moduleId),
        sections: live.flatMap(({ sectionId }) => (sectionId === null ? [] : [sectionId])),
      });
      const all = live.map((session) => ({
        ...session,
        name: names.students.get(session.userId)?.name ?? null,
        className: names.students.get(session.userId)?.className ?? null,
        moduleTitle: names.modules.get(session.moduleId) ?? null,
        sectionTitle: session.sectionId === null ? null : (names.sections.get(session.sectionId) ?? null),
        focusShare: shareOf(session.focusedMs, session.trackedMs),
      }));
      return { atMs: Math.round(deps.now()), rows: all.filter((row) => isInReach(reach, row)) };
    },
  }),
];
