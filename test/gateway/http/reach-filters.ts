import { MODULES, STUDENTS } from '../../support/report-data.ts';

export const SPAN = 'from=2026-03-02&to=2026-03-08';
export const CLASS = 'BSIT-1A';

/** Ways to ask a route that might open it wider. */
export const FILTERS = [
  '',
  SPAN,
  `${SPAN}&class=BSIT-1B`,
  `${SPAN}&class=${CLASS}`,
  `${SPAN}&class=%25`,
  ...[STUDENTS[0], STUDENTS[7], STUDENTS[13]].map((student) => student?.id ?? 0).map((id) => `${SPAN}&userId=${id}`),
  ...MODULES.map(({ id }) => `${SPAN}&moduleId=${id}`),
  `${SPAN}&moduleId=4&class=BSIT-1B`,
  `${SPAN}&search=a`,
  `${SPAN}&search=%25`,
  `${SPAN}&search=${STUDENTS[6]?.id}`,
  `${SPAN}&order=lastSeenAtMs&way=down&pageSize=200`,
  `${SPAN}&order=focusShare&pageSize=1&page=2`,
  `${SPAN}&page=3&pageSize=2`,
  `${SPAN}&pageSize=200`,
  `${SPAN}&stepMs=10000`,
];
