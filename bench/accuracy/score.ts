import type { Direction } from '../../shared/direction.ts';

/** One picture: what was expected and what was said. */
export interface Judged {
  readonly subject: string;
  readonly expected: readonly Direction[];
  readonly focused: boolean | null;
  readonly said: Direction;
  readonly faceFound: boolean;
}

/** Shares are 0–1; null where no picture of the kind is there. */
export interface Score {
  readonly n: number;
  readonly facesFound: number;
  readonly focus: {
    readonly balancedAccuracy: number | null;
    readonly recallFocused: number | null;
    readonly recallUnfocused: number | null;
  };
  readonly states: { readonly macroRecall: number | null; readonly recall: Readonly<Record<string, number>> };
  readonly closed: { readonly recall: number | null; readonly falseAlarm: number | null };
}

/** The states whose recalls make the macro recall. The others are listed beside it. */
export const MACRO_STATES: readonly Direction[] = [
  'centered',
  'looking_left',
  'looking_right',
  'looking_up',
  'looking_down',
  'eyes_closed',
];

/** Share of rows for which `isRight` holds; null for none. */
function share<T>(rows: readonly T[], isRight: (row: T) => boolean): number | null {
  return rows.length === 0 ? null : rows.filter(isRight).length / rows.length;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Scores of verdicts on labelled pictures. A row belongs to the state its first alternative names and
 * is right when any alternative was said. Focused is said by `centered` alone; `unknown` is neither
 * focused nor unfocused and so counts as a miss of both. False alarms of closed eyes are counted over
 * the rows that do not allow them.
 */
export function scoreOf(rows: readonly Judged[]): Score {
  const isUnfocused = (said: Direction): boolean => said !== 'centered' && said !== 'unknown';
  const recallFocused = share(
    rows.filter((row) => row.focused === true),
    (row) => row.said === 'centered',
  );
  const recallUnfocused = share(
    rows.filter((row) => row.focused === false),
    (row) => isUnfocused(row.said),
  );
  const recall: Record<string, number> = {};
  for (const state of new Set(rows.flatMap((row) => row.expected.slice(0, 1)))) {
    const value = share(
      rows.filter((row) => row.expected[0] === state),
      (row) => row.expected.includes(row.said),
    );
    if (value !== null) recall[state] = value;
  }
  const macro = MACRO_STATES.flatMap((state) => recall[state] ?? []);
  const labelled = rows.filter((row) => row.expected.length > 0);
  return {
    n: rows.length,
    facesFound: rows.filter((row) => row.faceFound).length,
    focus: {
      balancedAccuracy:
        recallFocused === null || recallUnfocused === null ? null : (recallFocused + recallUnfocused) / 2,
      recallFocused,
      recallUnfocused,
    },
    states: { macroRecall: mean(macro), recall },
    closed: {
      recall: share(
        labelled.filter((row) => row.expected.includes('eyes_closed')),
        (row) => row.expected.includes(row.said),
      ),
      falseAlarm: share(
        labelled.filter((row) => !row.expected.includes('eyes_closed')),
        (row) => row.said === 'eyes_closed',
      ),
    },
  };
}

/** How often each direction was said for each state, in rows. */
export function confusionOf(rows: readonly Judged[]): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const row of rows) {
    const state = row.expected[0];
    if (state === undefined) continue;
    const line = counts[state] ?? {};
    line[row.said] = (line[row.said] ?? 0) + 1;
    counts[state] = line;
  }
  return counts;
}
