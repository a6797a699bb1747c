import { describe, expect, it } from 'vitest';
import { hrefOf, type Place, readAddress } from '../../../client/dashboard/address.ts';

const TODAY = '2026-03-11';
const FILTER = { from: '2026-03-01', to: '2026-03-05', className: 'BSIT 1A & B' };

const PLACES: readonly Place[] = [
  { page: 'overview' },
  { page: 'students' },
  { page: 'student', userId: 7 },
  { page: 'modules' },
  { page: 'module', moduleId: 3 },
  { page: 'section', moduleId: 3, sectionId: 31 },
  { page: 'section', moduleId: 3, sectionId: 'none' },
  { page: 'session', sessionId: '0b0a3c52-6f1c-4c9a-9a3e-3f0a5d1c7e11' },
  { page: 'live' },
];

describe("the dashboard's address", () => {
  it.each(PLACES)('$page is read as it was written, with days, class and extras', (place) => {
    const address = readAddress(hrefOf(place, FILTER, { search: 'ana=', page: '2' }), TODAY);
    expect(address).toEqual({ place, filter: FILTER, extra: { search: 'ana=', page: '2' } });
  });

  it.each([
    '',
    '#',
    '#/',
    '#/students/abc',
    '#/modules/-1/sections/2',
    '#/nowhere',
    '#/students?from=yesterday&to=now',
  ])('%j is a page with the last 28 days', (hash) => {
    const { filter } = readAddress(hash, TODAY);
    expect(filter).toEqual({ from: '2026-02-12', to: '2026-03-11', className: null });
  });
});
