import { DEFAULT_DAYS, lastDays } from '../../shared/report/range.ts';

/** A page of the dashboard. */
export type Place =
  | { readonly page: 'overview' | 'students' | 'modules' | 'live' }
  | { readonly page: 'student'; readonly userId: number }
  | { readonly page: 'module'; readonly moduleId: number }
  | { readonly page: 'section'; readonly moduleId: number; readonly sectionId: number | 'none' }
  | { readonly page: 'session'; readonly sessionId: string };

/** Which sessions a page is about. */
export interface Filter {
  /** First and last day, `YYYY-MM-DD`. */
  readonly from: string;
  readonly to: string;
  readonly className: string | null;
}

/** What stands behind the `#` of the dashboard's address. */
export interface Address {
  readonly place: Place;
  readonly filter: Filter;
  /** What belongs to one page alone: search, order, page number. */
  readonly extra: Readonly<Record<string, string>>;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

function idIn(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

function placeOf(path: string): Place {
  const [page = '', id, sub, subId] = path.split('/').filter((part) => part !== '');
  const number = idIn(id);
  if (page === 'students') return number === null ? { page: 'students' } : { page: 'student', userId: number };
  if (page === 'live') return { page: 'live' };
  if (page === 'sessions' && id !== undefined) return { page: 'session', sessionId: id };
  if (page === 'modules') {
    if (number === null) return { page: 'modules' };
    const sectionId = subId === 'none' ? 'none' : idIn(subId);
    if (sub === 'sections' && sectionId !== null) return { page: 'section', moduleId: number, sectionId };
    return { page: 'module', moduleId: number };
  }
  return { page: 'overview' };
}

function pathOf(place: Place): string {
  switch (place.page) {
    case 'overview':
      return '/';
    case 'student':
      return `/students/${place.userId}`;
    case 'module':
      return `/modules/${place.moduleId}`;
    case 'section':
      return `/modules/${place.moduleId}/sections/${place.sectionId}`;
    case 'session':
      return `/sessions/${place.sessionId}`;
    default:
      return `/${place.page}`;
  }
}

/** Reads what stands behind the `#`; whatever cannot be read becomes its default. */
export function readAddress(hash: string, today: string): Address {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  const { from, to, class: className, ...extra } = Object.fromEntries(new URLSearchParams(query));
  const recent = lastDays(DEFAULT_DAYS, today);
  const dated = from !== undefined && to !== undefined && DATE.test(from) && DATE.test(to);
  return {
    place: placeOf(path),
    filter: { ...(dated ? { from, to } : recent), className: className ?? null },
    extra,
  };
}

/** The address to link to, `#/…`. */
export function hrefOf(place: Place, filter: Filter, extra: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({
    from: filter.from,
    to: filter.to,
    ...(filter.className === null ? {} : { class: filter.className }),
    ...extra,
  });
  return `#${pathOf(place)}?${query}`;
}
