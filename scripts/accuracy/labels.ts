import { DIRECTIONS, type Direction } from '../../shared/direction.ts';
import { RelayError } from '../../shared/errors.ts';

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

export interface Labels {
  readonly rows: readonly LabelRow[];
  /** Lines that could not be used, with the reason. */
  readonly faults: readonly string[];
}

const SHORT_FORMS: Readonly<Record<string, Direction>> = {
  center: 'centered',
  centre: 'centered',
  centred: 'centered',
  straight: 'centered',
  forward: 'centered',
  front: 'centered',
  screen: 'centered',
  camera: 'centered',
  left: 'looking_left',
  right: 'looking_right',
  up: 'looking_up',
  down: 'looking_down',
  closed: 'eyes_closed',
  eyes_shut: 'eyes_closed',
  shut: 'eyes_closed',
  turned: 'face_turned',
  head_turned: 'face_turned',
  profile: 'face_turned',
  none: 'no_face',
  noface: 'no_face',
  absent: 'no_face',
};

/** A direction from one of its names (shared/direction.ts) or a short form; null for any other word. */
export function directionOfWord(word: string): Direction | null {
  const name = word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  const direction = DIRECTIONS.find((known) => known === name) ?? SHORT_FORMS[name];
  if (direction !== undefined) return direction;
  const side = name.match(/^(?:looks?|looking|gaze|eyes?|head)_(.+)$/)?.[1];
  return side === undefined ? null : (SHORT_FORMS[side] ?? null);
}

function focusOf(word: string, expected: readonly Direction[]): boolean | null {
  const name = word.trim().toLowerCase();
  if (['focused', 'focus', '1', 'true', 'yes', 'attentive', 'on'].includes(name)) return true;
  if (['unfocused', 'not_focused', '0', 'false', 'no', 'distracted', 'inattentive', 'off'].includes(name)) return false;
  const kinds = new Set(expected.map((direction) => direction === 'centered'));
  return kinds.size === 1 ? kinds.has(true) : null;
}

/** The cells of comma-separated text (RFC 4180), lines first. */
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
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  for (let i = 0; i < source.length; i++) {
    const char = source[i] ?? '';
    if (quoted && char === '"' && source[i + 1] === '"') {
      cell += char;
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === ',' && !quoted) endCell();
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

/**
 * Rows of a labels.csv. Columns: `path` (or `file`), `expect` (alternatives separated by |, image
 * sides), and optionally `focus` and `subject`; or the columns of the CMU faces (`file`, `head_img`).
 * Throws RelayError `labels_columns` when the columns that name a picture and its label are missing.
 */
export function parseLabels(text: string): Labels {
  const [header, ...lines] = parseCsv(text);
  const names = (header ?? []).map((name) => name.trim().toLowerCase());
  const pathColumn = names.find((name) => ['path', 'file', 'image', 'filename'].includes(name));
  const expectColumn = names.find((name) => ['expect', 'expected'].includes(name));
  const hasHeads = names.includes('head_img');
  if (pathColumn === undefined || (expectColumn === undefined && !hasHeads && !names.includes('label'))) {
    throw new RelayError('labels_columns', `labels.csv has the columns ${names.join(', ') || '(none)'}`, {
      hint: 'it needs path and expect; focus and subject are optional',
    });
  }
  const rows: LabelRow[] = [];
  const faults: string[] = [];
  lines.forEach((cells, i) => {
    const row: Record_ = Object.fromEntries(names.map((name, column) => [name, cells[column]?.trim() ?? '']));
    const path = row[pathColumn] ?? '';
    const words = (row[expectColumn ?? 'label'] ?? '').split('|').filter((word) => word.trim() !== '');
    const expected =
      expectColumn === undefined && hasHeads ? expectedOfHeadLabels(row) : words.map((word) => directionOfWord(word));
    const known = expected?.filter((direction) => direction !== null) ?? [];
    const focused = focusOf(row.focus ?? '', known);
    if (path === '' || (known.length === 0 && focused === null)) {
      faults.push(`line ${i + 2}: no picture or no label that is known (${words.join('|') || 'empty'})`);
      return;
    }
    rows.push({
      path,
      expected: known,
      focused,
      subject: row.subject || NO_SUBJECT,
      group: (expectColumn === undefined && row.eyes) || null,
    });
  });
  return { rows, faults };
}
