import type { StudentOrder } from '../../shared/report/answers.ts';
import type { Detail, Totals } from '../../shared/report/figures.ts';
import type { DateRange } from '../../shared/report/range.ts';
import type {
  ClassRow,
  DayRow,
  HourRow,
  ModuleRow,
  SectionRow,
  SessionRow,
  StudentRow,
  TimelineRow,
} from '../../shared/report/rows.ts';
import type { Reach } from '../auth/reach.ts';

/**
 * What a report is about. A metrics window counts on the day and in the hour in which it begins, by the clocks of the database,
 * as in the report views; lists of sessions have those that began on the days.
 */
export interface Scope {
  /** Of whom the reader may read. */
  readonly reach: Reach;
  readonly range: DateRange;
  readonly userId?: number | undefined;
  readonly moduleId?: number | undefined;
  /** The school class, `users.section`. */
  readonly className?: string | undefined;
}

/** A lesson section of a module; null is time spent in none. */
export interface SectionScope extends Scope {
  readonly moduleId: number;
  readonly sectionId: number | null;
}

export interface Slice {
  readonly limit: number;
  readonly offset: number;
}

export interface StudentsQuery extends Slice {
  /** Part of the name, or a whole user id. */
  readonly search?: string | undefined;
  readonly order: StudentOrder;
  readonly descending: boolean;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Rows there are without the slice. */
  readonly total: number;
}

/** Names from the views `relay_dim_*`; an id that is missing has none. */
export interface Names {
  readonly students: ReadonlyMap<number, { readonly name: string | null; readonly className: string | null }>;
  readonly modules: ReadonlyMap<number, string>;
  readonly sections: ReadonlyMap<number, string>;
}

/**
 * What teachers ask of the stored windows, all of it read from the report views. Both implementations pass one contract suite. Every method rejects with
 * RelayError `store_unreachable`. Windows still in the spool are not in the answers.
 */
export interface ReportStore {
  readonly kind: 'libsql' | 'mysql';
  /** Local time minus UTC at a moment (UTC ms), by the clocks that stored days and hours follow; ms. */
  utcOffsetMs(atMs: number): Promise<number>;
  /** Of any scope, a whole school too: it reads no bouts. */
  totals(scope: Scope): Promise<Totals>;
  /** Of one student or module: it sorts all their bouts. */
  detail(scope: Scope): Promise<Detail>;
  sectionDetail(scope: SectionScope): Promise<Detail>;
  /** Days on which something was stored, in order. */
  days(scope: Scope): Promise<readonly DayRow[]>;
  /** By the hour of day, in order. */
  hours(scope: Scope): Promise<readonly HourRow[]>;
  classes(scope: Scope): Promise<readonly ClassRow[]>;
  students(scope: Scope, query: StudentsQuery): Promise<Page<StudentRow>>;
  modules(scope: Scope): Promise<readonly ModuleRow[]>;
  /** `sessions` are those that began in the section. */
  sections(scope: Scope & { readonly moduleId: number }): Promise<readonly SectionRow[]>;
  /** Steps of `stepMs` of the time that students spent in the section, from their first moment in it. */
  timeline(scope: SectionScope, stepMs: number): Promise<readonly TimelineRow[]>;
  /** The newest first. */
  sessions(scope: Scope, slice: Slice): Promise<Page<SessionRow>>;
  /** Of records that the reader may see: it asks no reach. */
  names(ids: {
    readonly users: readonly number[];
    readonly modules: readonly number[];
    readonly sections: readonly number[];
  }): Promise<Names>;
  close(): Promise<void>;
}
