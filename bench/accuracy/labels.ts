import { DIRECTIONS, type Direction } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';
import type { FrameSize } from '../../shared/geometry.ts';
import type { FaceObservation } from '../../shared/observation.ts';

/** Stands for the subject where none is named. */
export const NO_SUBJECT = 'all';

/** A labelled picture. */
export interface LabelRow {
  /** Relative to the folder of the labels. */
  readonly path: string;
  /** Directions that count as right, the first of which names the row's state; empty when only the focus is labelled. */
  readonly expected: readonly Direction[];
  /** Whether the person attends to the screen; null when that is not labelled. */
  readonly focused: boolean | null;
  readonly subject: string;
  /** Kind of picture that is reported apart, as the CMU faces' open eyes and sunglasses; null for none. */
  readonly group: string | null;
}

/** A labelled picture with its observation. */
export interface SeenRow extends LabelRow {
  readonly observation: FaceObservation;
  /** Size of the whole picture as it was examined. */
  readonly frame: FrameSize;
}

export interface Labels {
  readonly rows: readonly LabelRow[];
  /** Lines that could not be used, with the reason. */
  readonly faults: readonly string[];
}

const LEFT: Direction = 'looking_left';
const RIGHT: Direction = 'looking_right';
const UP: Direction = 'looking_up';
const DOWN: Direction = 'looking_down';
const TURNED: Direction = 'face_turned';
const CLOSED: Direction = 'eyes_closed';
const CENTERED: Direction = 'centered';

const SHORT_FORMS: Readonly<Record<string, Direction>> = {
  center: CENTERED,
  centre: CENTERED,
  centred: CENTERED,
  middle: CENTERED,
  straight: CENTERED,
  straight_ahead: CENTERED,
  ahead: CENTERED,
  forward: CENTERED,
  front: CENTERED,
  frontal: CENTERED,
  screen: CENTERED,
  on_screen: CENTERED,
  camera: CENTERED,
  left: LEFT,
  leftward: LEFT,
  right: RIGHT,
  rightward: RIGHT,
  up: UP,
  upper: UP,
  upward: UP,
  top: UP,
  down: DOWN,
  lower: DOWN,
  downward: DOWN,
  bottom: DOWN,
  closed: CLOSED,
  closed_eyes: CLOSED,
  eye_closed: CLOSED,
  eyes_shut: CLOSED,
  shut: CLOSED,
  asleep: CLOSED,
  sleeping: CLOSED,
  turned: TURNED,
  turned_away: TURNED,
  head_turned: TURNED,
  profile: TURNED,
  none: 'no_face',
  noface: 'no_face',
  nobody: 'no_face',
  absent: 'no_face',
  empty: 'no_face',
};
/** Off the screen, to whichever side. */
const AWAY: readonly Direction[] = ['distracted', LEFT, RIGHT, UP, DOWN, TURNED];

/**
 * Directions that a label's word allows: one of their names (shared/direction.ts), a short form, a diagonal
 * (`down-left`: either), or `away`. Empty for any other word.
 */
export function directionsOfWord(word: string): readonly Direction[] {
  const name = word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s/-]+/g, '_')
    .replace(/wards\b/, 'ward');
  const direction = DIRECTIONS.find((known) => known === name && known !== 'unknown') ?? SHORT_FORMS[name];
  if (direction !== undefined) return [direction];
  if (['away', 'off_screen', 'offscreen', 'looking_away'].includes(name)) return AWAY;
  const rest = name.match(/^(?:looks?|looking|gaze|gazing|eyes?|head|face)_(.+)$/)?.[1];
  if (rest !== undefined) return directionsOfWord(rest);
  const parts = name.split('_').map((part) => SHORT_FORMS[part]);
  const isDiagonal =
    parts.length === 2 &&
    parts.some((part) => part === UP || part === DOWN) &&
    parts.some((part) => part === LEFT || part === RIGHT);
  return isDiagonal ? parts.filter((part) => part !== undefined) : [];
}

const FOCUSED_WORDS = [
  'focused',
  'focussed',
  'focus',
  '1',
  '1.0',
  'true',
  't',
  'yes',
  'y',
  'attentive',
  'engaged',
  'on',
  'on_screen',
];
const UNFOCUSED_WORDS = [
  'unfocused',
  'unfocussed',
  'not_focused',
  '0',
  '0.0',
  'false',
  'f',
  'no',
  'n',
  'distracted',
  'inattentive',
  'off',
  'off_screen',
];

/** Whether a label says focused; undefined for a word that says neither. An empty one leaves it to the directions. */
function focusOf(word: string, expected: readonly Direction[]): boolean | null | undefined {
  const name = word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  if (FOCUSED_WORDS.includes(name)) return true;
  if (UNFOCUSED_WORDS.includes(name)) return false;
  if (name !== '' && !['na', 'n/a', 'null', 'none', '?', 'unknown'].includes(name)) return undefined;
  const kinds = new Set(expected.map((direction) => direction === CENTERED));
  return kinds.size === 1 ? kinds.has(true) : null;
}

/** The separator of the columns, from the first line: spreadsheets of some languages write semicolons. */
function separatorOf(text: string): string {
  const first = text.split('\n', 1)[0] ?? '';
  const count = (char: string): number => first.split(char).length;
  return [',', ';', '\t'].reduce((best, char) => (count(char) > count(best) ? char : best));
}

/** The cells of comma-separated text (RFC 4180; semicolons or tabs when the first line has more of them), lines first. */
export function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = (): void => {
    cells.push(cell);
    cell = '';
  };
  const endLine = (): void => {
    endCell();
    if (cells.some((each) => each.trim() !== '')) lines.push(cells);
    cells = [];
  };
  const source = text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n');
  const separator = separatorOf(source);
  for (let i = 0; i < source.length; i++) {
    const char = source[i] ?? '';
    if (quoted && char === '"' && source[i + 1] === '"') {
      cell += char;
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) endCell();
    else if (char === '\n' && !quoted) endLine();
    else cell += char;
  }
  endLine();
  return lines;
}

type Record_ = Readonly<Record<string, string>>;

/** CMU Face Images as this project's data folder labels them: head directions on the image's sides. */
function expectedOfHeadLabels(row: Record_): Direction[] | null {
  switch (row.head_img) {
    case 'front':
      return ['centered'];
    case 'left':
      return ['looking_left', 'face_turned'];
    case 'right':
      return ['looking_right', 'face_turned'];
    case 'up':
      return ['looking_up'];
    default:
      return null;
  }
}

const COLUMNS = {
  path: ['path', 'file', 'filename', 'file_name', 'image', 'picture'],
  expect: ['expect', 'expected', 'expects'],
  focus: ['focus', 'focused'],
  subject: ['subject', 'person', 'participant', 'user'],
} as const;

/**
 * Rows of a labels.csv. Columns, in any order: `path`, `expect` (alternatives separated by |, image sides),
 * and optionally `focus` and `subject`, each also under the names in COLUMNS; or the columns of the CMU
 * faces (`file`, `head_img`). Paths are relative to the folder. Throws RelayError `labels_columns` when the
 * columns that name a picture and its label are missing.
 */
export function parseLabels(text: string): Labels {
  const [header, ...lines] = parseCsv(text);
  const names = (header ?? []).map((name) =>
    name
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, '_'),
  );
  const columnOf = (kind: keyof typeof COLUMNS): string | undefined =>
    COLUMNS[kind].find((name) => names.includes(name));
  const pathColumn = columnOf('path');
  const expectColumn = columnOf('expect');
  const focusColumn = columnOf('focus') ?? 'focus';
  const hasHeads = names.includes('head_img');
  const hasLabel = expectColumn !== undefined || hasHeads || names.includes('label') || names.includes(focusColumn);
  if (pathColumn === undefined || !hasLabel) {
    throw new RelayError('labels_columns', `labels.csv has the columns ${names.join(', ') || '(none)'}`, {
      hint: 'it needs path and expect; focus and subject are optional',
    });
  }
  const rows: LabelRow[] = [];
  const faults: string[] = [];
  lines.forEach((cells, i) => {
    const row: Record_ = Object.fromEntries(names.map((name, column) => [name, cells[column]?.trim() ?? '']));
    const path = (row[pathColumn] ?? '').replaceAll('\\', '/');
    const words = (row[expectColumn ?? 'label'] ?? '').split('|').filter((word) => word.trim() !== '');
    const fault = (what: string): void => {
      faults.push(`row ${i + 1} (${path || 'no picture'}): ${what}`);
    };
    const isHeadRow = expectColumn === undefined && hasHeads;
    const expected = isHeadRow ? (expectedOfHeadLabels(row) ?? []) : [...new Set(words.flatMap(directionsOfWord))];
    const focused = focusOf(row[focusColumn] ?? '', expected);
    if (path === '' || (expected.length === 0 && typeof focused !== 'boolean')) {
      fault(
        `left out: ${path === '' ? 'it names no picture' : `no label that is known (${words.join('|') || 'empty'})`}`,
      );
      return;
    }
    const strange = isHeadRow ? undefined : words.find((word) => directionsOfWord(word).length === 0);
    if (strange !== undefined) fault(`“${strange.trim()}” is no direction that is known`);
    if (focused === undefined) fault(`focus “${row[focusColumn]}” is not known`);
    rows.push({
      path,
      expected,
      focused: focused === undefined ? (focusOf('', expected) ?? null) : focused,
      subject: row[columnOf('subject') ?? ''] || NO_SUBJECT,
      group: (isHeadRow && row.eyes) || null,
    });
  });
  return { rows, faults };
}
