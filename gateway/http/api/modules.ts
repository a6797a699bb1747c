import * as z from 'zod';
import { answers } from '../../../shared/report/answers.ts';
import type { ModuleRow, SectionRow, TimelineRow } from '../../../shared/report/rows.ts';
import { studentFor } from '../../auth/reader.ts';
import { columnsOf } from '../csv.ts';
import { HttpFault } from '../faults.ts';
import { DETAIL_COLUMNS, FIGURE_COLUMNS, percentField } from './columns.ts';
import {
  classParameter,
  idParameter,
  rangeOf,
  rangeParameters,
  scopeParameters,
  sectionParameter,
  studentAsked,
} from './parameters.ts';
import { type ApiRoute, defineRoute } from './route.ts';

const { moduleId: _one, ...moduleListParameters } = scopeParameters;
const studentParameters = { ...rangeParameters, ...classParameter, userId: scopeParameters.userId };
type ModuleAnswer = z.output<typeof answers.module>['module'];
type SectionAnswer = z.output<typeof answers.section>['section'];

const STEP_MS = 60_000;

function sectionOf(asked: 'none' | number): number | null {
  return asked === 'none' ? null : asked;
}

/** Reports on modules and their lesson sections. */
export const moduleRoutes: readonly ApiRoute[] = [
  defineRoute({
    path: '/api/v1/modules',
    summary: 'Modules with sessions in the range',
    students: studentAsked,
    readers: 'own',
    params: {},
    query: moduleListParameters,
    response: answers.modules,
    csv: {
      columns: [
        ...columnsOf<ModuleRow>({
          module_id: (row) => row.moduleId,
          title: (row) => row.title,
        }),
        ...FIGURE_COLUMNS,
      ],
      rows: (result) => result.rows,
      name: ({ result }) => `modules-${result.range.from}-to-${result.range.to}`,
    },
    groups: true,
    async handle(deps, { reader, reach, query }) {
      const range = await rangeOf(deps, query);
      const userId = studentFor(reader, query.userId);
      return { range, rows: [...(await deps.reports.modules({ reach, range, userId, className: query.class }))] };
    },
  }),
  defineRoute({
    path: '/api/v1/modules/{moduleId}',
    summary: 'One module',
    students: 'none',
    readers: 'staff',
    params: { moduleId: idParameter },
    query: { ...rangeParameters, ...classParameter },
    response: answers.module,
    csv: {
      columns: [
        ...columnsOf<ModuleAnswer>({
          module_id: (row) => row.moduleId,
          title: (row) => row.title,
        }),
        ...DETAIL_COLUMNS,
      ],
      rows: (result) => [result.module],
      name: ({ params }) => `module-${params.moduleId}`,
    },
    groups: true,
    async handle(deps, { reach, params: { moduleId }, query }) {
      const range = await rangeOf(deps, query);
      const detail = await deps.reports.detail({ reach, range, moduleId, className: query.class });
      const { modules } = await deps.reports.names({ users: [], modules: [moduleId], sections: [] });
      const title = modules.get(moduleId) ?? null;
      if (title === null && detail.students === 0) {
        throw new HttpFault(404, 'module_unknown', 'no such module, or no session of it in the range');
      }
      return { range, module: { moduleId, title, ...detail } };
    },
  }),
  defineRoute({
    path: '/api/v1/modules/{moduleId}/sections',
    summary: 'Lesson sections of a module',
    students: studentAsked,
    readers: 'own',
    params: { moduleId: idParameter },
    query: studentParameters,
    response: answers.sections,
    csv: {
      columns: [
        ...columnsOf<SectionRow>({
          section_id: (row) => row.sectionId,
          title: (row) => row.title,
        }),
        ...FIGURE_COLUMNS,
      ],
      rows: (result) => result.rows,
      name: ({ params }) => `module-${params.moduleId}-sections`,
    },
    async handle(deps, { reader, reach, params: { moduleId }, query }) {
      const range = await rangeOf(deps, query);
      const userId = studentFor(reader, query.userId);
      const rows = await deps.reports.sections({ reach, range, userId, moduleId, className: query.class });
      return { range, rows: [...rows] };
    },
  }),
  defineRoute({
    path: '/api/v1/modules/{moduleId}/sections/{sectionId}',
    summary: 'One lesson section',
    students: 'none',
    readers: 'staff',
    params: { moduleId: idParameter, sectionId: sectionParameter },
    query: { ...rangeParameters, ...classParameter },
    response: answers.section,
    csv: {
      columns: [
        ...columnsOf<SectionAnswer>({
          module_id: (row) => row.moduleId,
          module_title: (row) => row.moduleTitle,
          section_id: (row) => row.sectionId,
          title: (row) => row.title,
        }),
        ...DETAIL_COLUMNS,
      ],
      rows: (result) => [result.section],
      name: ({ params }) => `module-${params.moduleId}-section-${params.sectionId}`,
    },
    async handle(deps, { reach, params, query }) {
      const range = await rangeOf(deps, query);
      const { moduleId } = params;
      const sectionId = sectionOf(params.sectionId);
      const detail = await deps.reports.sectionDetail({ reach, range, moduleId, sectionId, className: query.class });
      const sections = sectionId === null ? [] : [sectionId];
      const names = await deps.reports.names({ users: [], modules: [moduleId], sections });
      const title = sectionId === null ? null : (names.sections.get(sectionId) ?? null);
      if (title === null && detail.students === 0) {
        throw new HttpFault(404, 'section_unknown', 'no such lesson section, or no session in it in the range');
      }
      const section = { moduleId, moduleTitle: names.modules.get(moduleId) ?? null, sectionId, title, ...detail };
      return { range, section };
    },
  }),
  defineRoute({
    path: '/api/v1/modules/{moduleId}/sections/{sectionId}/timeline',
    summary: 'Where along a lesson section students look away',
    description: 'Steps of the time that students spent in the section, from their first moment in it.',
    students: 'none',
    readers: 'staff',
    params: { moduleId: idParameter, sectionId: sectionParameter },
    query: {
      ...rangeParameters,
      ...classParameter,
      stepMs: z.coerce.number().int().min(10_000).max(3_600_000).default(STEP_MS).describe('length of a step'),
    },
    response: answers.timeline,
    csv: {
      columns: [
        ...columnsOf<TimelineRow>({
          start_ms: (row) => row.startMs,
          end_ms: (row) => row.endMs,
          sessions: (row) => row.sessions,
          students: (row) => row.students,
          focused_ms: (row) => row.focusedMs,
          unfocused_ms: (row) => row.unfocusedMs,
          unknown_ms: (row) => row.unknownMs,
          untracked_ms: (row) => row.untrackedMs,
          focus_share_percent: (row) => percentField(row.focusShare),
          distractions: (row) => row.distractions,
          distraction_ms: (row) => row.distractionMs,
        }),
      ],
      rows: (result) => result.rows,
      name: ({ params }) => `module-${params.moduleId}-section-${params.sectionId}-timeline`,
    },
    async handle(deps, { reach, params, query }) {
      const range = await rangeOf(deps, query);
      const { moduleId } = params;
      const sectionId = sectionOf(params.sectionId);
      const { stepMs } = query;
      const rows = await deps.reports.timeline({ reach, range, moduleId, sectionId, className: query.class }, stepMs);
      return { range, stepMs, rows: [...rows] };
    },
  }),
];
