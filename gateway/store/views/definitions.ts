import { FIRST_CENTRE_VERSION } from '../../../shared/focus/own-centre.ts';
import { COUNT_COLUMNS, DIALECTS, type Dialect, measures, percent, SUM_COLUMNS, trackedOf } from './measures.ts';
import { boutLengths, MEDIAN_MS } from './median.ts';

/** A report view: its name and the SELECT behind it. */
export interface ReportView {
  readonly name: string;
  readonly select: string;
}

/**
 * Names of students, modules and lesson sections. The tables behind these views are the platform's to say
 * (migrations make them empty), so that report views need not know which platform there is.
 */
const STUDENTS = 'relay_dim_students u';
const MODULES = 'relay_dim_modules m';
const SECTIONS = 'relay_dim_sections s';

type DimensionName = 'student' | 'class' | 'module' | 'section' | 'day' | 'hour' | 'kind';

/** What rows can be grouped by. `table` is relay_hours, groups of its rows, or relay_bouts. */
interface Dimension {
  readonly columns: (table: string) => readonly string[];
  readonly join?: { readonly view: string; readonly column: string };
}

/** relay_hours and groups of its rows: 0 stands for no lesson section there. */
const hasSectionKey = (table: string) => table === 'h' || table === 'g';

const STUDENT_JOIN = { view: STUDENTS, column: 'user_id' };

const DIMENSIONS: Readonly<Record<DimensionName, Dimension>> = {
  student: { columns: (table) => [`${table}.user_id`, 'u.student_name', 'u.class_name'], join: STUDENT_JOIN },
  class: { columns: () => ['u.class_name'], join: STUDENT_JOIN },
  module: {
    columns: (table) => [`${table}.module_id`, 'm.module_title'],
    join: { view: MODULES, column: 'module_id' },
  },
  section: {
    columns: (table) => [
      hasSectionKey(table) ? `NULLIF(${table}.section_key, 0) AS section_id` : `${table}.section_id`,
      's.section_title',
    ],
    join: { view: SECTIONS, column: 'section_id' },
  },
  day: { columns: (table) => [`${table}.day`] },
  hour: { columns: (table) => [`${table}.hour_of_day`] },
  kind: { columns: (table) => [`${table}.kind`] },
};

const nameOf = (column: string) => column.replace(/^.*(\.| AS )/, '');

function joinsOf(table: string, names: readonly DimensionName[]): string {
  const joins = names.flatMap((name) => {
    const { join } = DIMENSIONS[name];
    if (join === undefined) return [];
    const key = hasSectionKey(table) && join.column === 'section_id' ? 'section_key' : join.column;
    return `LEFT JOIN ${join.view} ON ${join.view.split(' ')[1]}.${join.column} = ${table}.${key}`;
  });
  return [...new Set(joins)].map((join) => `\n${join}`).join('');
}

const columnsOf = (table: string, names: readonly DimensionName[]) =>
  names.flatMap((name) => DIMENSIONS[name].columns(table));

const select = (columns: readonly string[], from: string) => `SELECT\n  ${columns.join(',\n  ')}\nFROM ${from}`;

/** Counts of a totals view beside those that all of them have. */
const EXTRA = {
  student_count: 'COUNT(DISTINCT h.user_id)',
  module_count: 'COUNT(DISTINCT h.module_id)',
  active_days: 'COUNT(DISTINCT h.day)',
  first_day: 'MIN(h.day)',
  last_day: 'MAX(h.day)',
} as const;
type Extra = keyof typeof EXTRA;
const DAYS = ['active_days', 'first_day', 'last_day'] as const;

/** Views of totals: what they are grouped by, and their extra counts. */
const TOTALS: Readonly<Record<string, readonly [readonly DimensionName[], ...Extra[]]>> = {
  students: [['student'], ...DAYS, 'module_count'],
  student_days: [['student', 'day']],
  student_modules: [['student', 'module'], ...DAYS],
  class_days: [['class', 'day'], 'student_count'],
  modules: [['module'], 'student_count', ...DAYS],
  sections: [['module', 'section'], 'student_count', ...DAYS],
  days: [['day'], 'student_count'],
  hours_of_day: [['hour'], 'student_count', 'active_days'],
};

/** Column of relay_hours that a dimension's names hang on; classes are of the names themselves. */
const GROUP_KEYS: Readonly<Partial<Record<DimensionName, string>>> = {
  student: 'h.user_id',
  module: 'h.module_id',
  section: 'h.section_key',
  day: 'h.day',
  hour: 'h.hour_of_day',
};

/** Each sum once: a server adds up again what a SELECT names again, and the measures name the same sums many times. */
const sumsOf = ({ sum }: Dialect, table: string) => [
  ...[...COUNT_COLUMNS, ...SUM_COLUMNS].map((column) => `${sum(`${table}.${column}`)} AS ${column}`),
  `MAX(${table}.longest_focused_bout_ms) AS longest_focused_bout_ms`,
  `SUM(${table}.gateway_ms_sum) AS gateway_ms_sum`,
];

/** The columns of a view of totals, of groups `g` that have the sums. */
const totalsOf = (dimensions: readonly string[], extra: readonly string[]) => [
  ...dimensions,
  ...[...extra, ...COUNT_COLUMNS, 'longest_focused_bout_ms'].map((column) =>
    column.includes('.') ? column : `g.${column}`,
  ),
  ...measures('g'),
];

/**
 * Modules and days have an index of their own, in whose order MariaDB would read every row of relay_hours one by one; with an expression
 * it reads the table as it lies and sorts, which takes half the time.
 */
const groupedBy = (keys: readonly string[]) =>
  keys.length === 1 && ['h.module_id', 'h.day'].includes(keys[0] ?? '') ? [...keys, `${keys[0]} + 0`] : keys;

/** Names are joined to the groups, not to their rows; that leaves groups by the key of relay_hours in its order. */
function totalsViews(dialect: Dialect): ReportView[] {
  const views = Object.entries(TOTALS).map(([name, [by, ...extra]]) => {
    const isOfClass = by.includes('class');
    const keys = by.map((dimension) => GROUP_KEYS[dimension] ?? 'u.class_name');
    const columns = [...keys, ...extra.map((column) => `${EXTRA[column]} AS ${column}`), ...sumsOf(dialect, 'h')];
    const rows = `relay_hours h${isOfClass ? joinsOf('h', by) : ''}`;
    const groups = `(\n${select(columns, rows)}\nGROUP BY ${groupedBy(keys).join(', ')}\n) g`;
    const dimensions = isOfClass ? keys.map((key) => `g.${nameOf(key)}`) : columnsOf('g', by);
    return {
      name: `relay_report_${name}`,
      select: select(totalsOf(dimensions, extra), `${groups}${isOfClass ? '' : joinsOf('g', by)}`),
    };
  });
  return [...views, classesView(dialect)];
}

/** All time of each class: first of each student, in the order of relay_hours, then of few thousand students by class. */
function classesView(dialect: Dialect): ReportView {
  const bounds = (table: string) => [`MIN(${table}.first_day) AS first_day`, `MAX(${table}.last_day) AS last_day`];
  const students = select(
    ['h.user_id', 'MIN(h.day) AS first_day', 'MAX(h.day) AS last_day', ...sumsOf(dialect, 'h')],
    'relay_hours h',
  );
  const classes = select(
    ['u.class_name', 'COUNT(*) AS student_count', ...bounds('p'), ...sumsOf(dialect, 'p')],
    `(\n${students}\nGROUP BY h.user_id\n) p${joinsOf('p', ['class'])}`,
  );
  // Days of classes by a number for each class, the least id of its students: to compare names for each row takes five times as long.
  const numbers = select(
    [
      'u.user_id',
      'CASE WHEN u.class_name IS NULL THEN 0 ELSE MIN(u.user_id) OVER (PARTITION BY u.class_name) END AS class_no',
    ],
    STUDENTS,
  );
  const days = select(
    ['DISTINCT COALESCE(n.class_no, 0) AS class_no', 'h.day'],
    `relay_hours h LEFT JOIN (\n${numbers}\n) n ON n.user_id = h.user_id`,
  );
  const activeDays = select(
    ['u.class_name', 'COUNT(*) AS active_days'],
    `(\n${days}\n) d LEFT JOIN ${STUDENTS} ON u.user_id = d.class_no`,
  );
  return {
    name: 'relay_report_classes',
    select: select(
      totalsOf(['g.class_name'], ['student_count', 'a.active_days', 'first_day', 'last_day']),
      `(\n${classes}\nGROUP BY u.class_name\n) g
JOIN (\n${activeDays}\nGROUP BY d.class_no, u.class_name\n) a ON a.class_name ${dialect.isSame} g.class_name`,
    ),
  };
}

/** Views of bouts: what they are grouped by, beside the kind of bout. */
const BOUTS: Readonly<Record<string, readonly DimensionName[]>> = {
  student_bouts: ['student', 'kind'],
  module_bouts: ['module', 'kind'],
  section_bouts: ['module', 'section', 'kind'],
  day_bouts: ['day', 'kind'],
  hour_bouts: ['hour', 'kind'],
};

const BOUT_FIGURES = ['bout_count', 'total_ms', 'median_ms', 'longest_ms'];

/** Number and lengths of bouts: counted, added up, middle and longest. `from` has them with a `duration_ms`. */
function boutFigures(dialect: Dialect, dimensions: readonly string[], duration: string, from: string): string {
  const outer = dimensions.map((column) => `r.${nameOf(column)}`);
  const columns = [
    ...outer,
    `${dialect.whole('SUM(r.bouts)')} AS bout_count`,
    `${dialect.whole('SUM(r.bouts * r.duration_ms)')} AS total_ms`,
    `ROUND(${MEDIAN_MS}) AS median_ms`,
    'MAX(r.duration_ms) AS longest_ms',
  ];
  return `${select(columns, `(\n${boutLengths(dimensions, duration, from)}\n) r`)}\nGROUP BY ${outer.join(', ')}`;
}

/** Bouts of classes start from the students, so that asking for one class reads its bouts alone. */
const CLASS_BOUTS = `(
SELECT u.class_name, b.kind, b.duration_ms FROM relay_dim_students u JOIN relay_bouts b ON b.user_id = u.user_id
UNION ALL
SELECT NULL AS class_name, b.kind, b.duration_ms FROM relay_bouts b
WHERE NOT EXISTS (SELECT 1 FROM relay_dim_students known WHERE known.user_id = b.user_id)
) e`;

function boutViews(dialect: Dialect): ReportView[] {
  const views = Object.entries(BOUTS).map(([name, by]) => {
    const keys = by.flatMap((dimension) => columnsOf('b', [dimension]).slice(0, 1));
    const groups = `(\n${boutFigures(dialect, keys, 'b.duration_ms', 'relay_bouts b')}\n) k`;
    const columns = [...columnsOf('k', by), ...BOUT_FIGURES.map((figure) => `k.${figure}`)];
    return { name: `relay_report_${name}`, select: select(columns, `${groups}${joinsOf('k', by)}`) };
  });
  const ofClasses = boutFigures(dialect, ['e.class_name', 'e.kind'], 'e.duration_ms', CLASS_BOUTS);
  return [...views, { name: 'relay_report_class_bouts', select: ofClasses }];
}

const PLACE: readonly DimensionName[] = ['student', 'module', 'section'];

/** Views with one row for each row of a table. */
function rowViews({ utc }: Dialect): ReportView[] {
  const columns = {
    hours: [
      ...columnsOf('h', [...PLACE, 'day', 'hour']),
      'h.session_count',
      'h.window_count',
      'h.focused_bout_count',
      'h.unfocused_bout_count',
      'h.longest_focused_bout_ms',
      ...measures('h'),
      'h.gateway_ms_sum',
    ],
    sessions: [
      't.id AS session_id',
      't.session_uuid',
      ...columnsOf('t', ['student', 'module']),
      't.started_at_ms',
      't.ended_at_ms',
      `${utc('t.started_at_ms')} AS started_at_utc`,
      `${utc('t.ended_at_ms')} AS ended_at_utc`,
      't.is_final',
      't.mode',
      't.rule',
      't.suspect',
      't.window_count',
      't.focused_bout_count',
      't.unfocused_bout_count',
      't.longest_focused_bout_ms',
      ...measures('t'),
      't.gateway_ms_sum',
    ],
    windows: [
      'w.session_id',
      'w.epoch',
      'w.seq',
      ...columnsOf('w', PLACE),
      'w.started_at_ms',
      'w.ended_at_ms',
      `${utc('w.started_at_ms')} AS started_at_utc`,
      'w.mode',
      'w.rule',
      'w.calibration_version',
      'w.calibrated_at_ms',
      'w.suspect',
      ...measures('w'),
    ],
    bouts: [
      'b.session_id',
      ...columnsOf('b', [...PLACE, 'day', 'hour', 'kind']),
      'b.started_at_ms',
      `${utc('b.started_at_ms')} AS started_at_utc`,
      'b.duration_ms',
    ],
    calibrations: [
      ...columnsOf('c', ['student']),
      'c.device_id',
      'c.created_at_ms',
      `${utc('c.created_at_ms')} AS created_at_utc`,
      'c.version',
      'c.point_count',
      'ROUND(c.validation_yaw_deg, 2) AS validation_yaw_deg',
      'ROUND(c.validation_pitch_deg, 2) AS validation_pitch_deg',
      `CASE WHEN EXISTS (SELECT 1 FROM relay_calibrations n WHERE n.user_id = c.user_id AND n.device_id = c.device_id
    AND n.version = c.version AND n.created_at_ms > c.created_at_ms) THEN 0 ELSE 1 END AS is_newest`,
    ],
  };
  return [
    { name: 'relay_report_hours', select: select(columns.hours, `relay_hours h${joinsOf('h', PLACE)}`) },
    {
      name: 'relay_report_sessions',
      select: select(columns.sessions, `relay_sessions t${joinsOf('t', ['student', 'module'])}`),
    },
    { name: 'relay_report_windows', select: select(columns.windows, `relay_windows w${joinsOf('w', PLACE)}`) },
    { name: 'relay_report_bouts', select: select(columns.bouts, `relay_bouts b${joinsOf('b', PLACE)}`) },
    {
      name: 'relay_report_calibrations',
      // Own centres, which are kept in the same table, are no calibrations.
      select: `${select(columns.calibrations, `relay_calibrations c${joinsOf('c', ['student'])}`)}
WHERE c.version < ${FIRST_CENTRE_VERSION}`,
    },
  ];
}

/** Sums of the time line; the shares of its first two are in it too. */
const TIMELINE_SUMS = ['focused', 'unfocused', 'unknown', 'untracked', 'no_face', 'face_turned', 'eyes_closed'];

/** Minute by minute from a session's first moment in a lesson section. */
function timelineView({ whole, div }: Dialect): ReportView {
  const sums = TIMELINE_SUMS.map((name) => `${name}_ms`);
  const key = ['module_id', 'section_id', 'session_id', 'user_id', 'started_at_ms'];
  const of = (table: string, names: readonly string[]) => names.map((name) => `${table}.${name}`);
  const events = `${select([...of('w', key), '0 AS distraction_count', ...of('w', sums)], 'relay_windows w')}
UNION ALL
${select([...of('b', key), '1 AS distraction_count', ...sums.map((name) => `0 AS ${name}`)], 'relay_bouts b')}
WHERE b.kind = 'unfocused'`;
  const sinceFirst =
    '(e.started_at_ms - MIN(e.started_at_ms) OVER (PARTITION BY e.module_id, e.section_id, e.session_id))';
  const placed = select(
    [...of('e', key), `${div(sinceFirst, 60_000)} AS minute_no`, ...of('e', ['distraction_count', ...sums])],
    `(\n${events}\n) e`,
  );
  const tracked = `SUM(${trackedOf('t')})`;
  const columns = [
    ...of('t', ['module_id', 'section_id', 'minute_no']),
    'COUNT(DISTINCT t.user_id) AS student_count',
    'COUNT(DISTINCT t.session_id) AS session_count',
    `${whole('SUM(t.distraction_count)')} AS distraction_count`,
    `${whole(tracked)} AS tracked_ms`,
    `${percent('SUM(t.focused_ms)', tracked)} AS focused_share_percent`,
    `${percent('SUM(t.unfocused_ms)', tracked)} AS unfocused_share_percent`,
    ...sums.map((name) => `${whole(`SUM(t.${name})`)} AS ${name}`),
  ];
  return {
    name: 'relay_report_timeline',
    select: `${select(columns, `(\n${placed}\n) t`)}\nGROUP BY t.module_id, t.section_id, t.minute_no`,
  };
}

/** How long before and after a quiz's result a student's focus is looked up, ms. */
const QUIZ_SPAN_MS = 1_800_000;

/** Results of quizzes with the focus around them. */
function quizView({ utc, whole }: Dialect): ReportView {
  const times = { tracked: trackedOf, focused: (table: string) => `${table}.focused_ms` };
  const result = ['quiz_kind', 'result_id', 'quiz_id', 'user_id', 'module_id', 'score', 'score_percent', 'taken_at_ms'];
  const ofResult = result.map((name) => `q.${name}`);
  const around = Object.entries({ before: '<', after: '>=' }).flatMap(([when, sign]) =>
    Object.entries(times).map(([kind, of]) => {
      const sum = `SUM(CASE WHEN w.started_at_ms ${sign} q.taken_at_ms THEN ${of('w')} ELSE 0 END)`;
      return `${whole(sum)} AS ${when}_${kind}_ms`;
    }),
  );
  const windows = `relay_dim_quizzes q
LEFT JOIN relay_windows w ON w.user_id = q.user_id
  AND w.started_at_ms >= q.taken_at_ms - ${QUIZ_SPAN_MS} AND w.started_at_ms < q.taken_at_ms + ${QUIZ_SPAN_MS}`;
  const results = `${select([...ofResult, ...around], windows)}\nGROUP BY ${ofResult.join(', ')}`;
  const inModule = Object.entries(times).map(
    ([kind, of]) =>
      `(SELECT ${whole(`SUM(${of('s')})`)} FROM relay_sessions s
    WHERE s.user_id = r.user_id AND s.module_id = r.module_id AND s.started_at_ms < r.taken_at_ms) AS module_${kind}_ms`,
  );
  const columns = [
    ...columnsOf('p', ['student', 'module']),
    'p.quiz_kind',
    'p.quiz_id',
    'p.result_id',
    'p.taken_at_ms',
    `${utc('p.taken_at_ms')} AS taken_at_utc`,
    'p.score',
    'p.score_percent',
    ...['before', 'after', 'module'].flatMap((when) => [
      `p.${when}_tracked_ms`,
      `p.${when}_focused_ms`,
      `${percent(`p.${when}_focused_ms`, `p.${when}_tracked_ms`)} AS ${when}_focused_share_percent`,
    ]),
  ];
  const from = `(\n${select(['r.*', ...inModule], `(\n${results}\n) r`)}\n) p${joinsOf('p', ['student', 'module'])}`;
  return { name: 'relay_report_quiz', select: select(columns, from) };
}

/** All report views of a database, in an order in which they can be made. Their columns are described in docs/database.md. */
export function reportViews(kind: Dialect['kind']): readonly ReportView[] {
  const dialect = DIALECTS[kind];
  return [
    ...rowViews(dialect),
    ...totalsViews(dialect),
    ...boutViews(dialect),
    timelineView(dialect),
    quizView(dialect),
  ];
}
