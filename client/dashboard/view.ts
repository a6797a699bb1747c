import type { z } from 'zod';
import type { answers } from '../../shared/report/answers.ts';
import type { Address, Filter, Place } from './address.ts';
import type { Api, Query } from './api.ts';

/** What a page of the dashboard is built from. */
export interface ViewContext {
  readonly api: Api;
  readonly address: Address;
  readonly timeZone: string;
  readonly reader: z.output<typeof answers.me>;
  /** Address of another page with the same days and class. */
  readonly link: (place: Place, extra?: Readonly<Record<string, string>>) => string;
  /** Goes to the same page with other days, class or extras. */
  readonly go: (changes: { readonly filter?: Filter; readonly extra?: Readonly<Record<string, string>> }) => void;
  /** Days and class, for a request. */
  readonly scope: Query;
  /** Downloads CSV and says so when that fails. */
  readonly download: (path: string, query: Query) => void;
  /** Called when the page is left or drawn anew. */
  readonly onLeave: (task: () => void) => void;
}

/** A page: its title for the browser's tab, and what it shows. */
export interface View {
  readonly title: string;
  readonly content: HTMLElement;
}
