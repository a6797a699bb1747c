import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { describeError } from '../../shared/errors.ts';
import type { FaceObservation } from '../../shared/observation.ts';
import { DEFAULT_CONTEXT, type VerdictContext, verdictOf } from '../../shared/vision/verdict.ts';
import { type LabelRow, parseLabels } from './labels.ts';
import { type Looker, readStill } from './look.ts';
import { personalContexts } from './personal.ts';
import { confusionOf, type Judged, type Score, scoreOf } from './score.ts';

/** One rule on one set of pictures. */
export interface RuleResult {
  readonly score: Score;
  readonly confusion: ReturnType<typeof confusionOf>;
}

export interface SubjectResult {
  readonly subject: string;
  readonly ours: Score;
  readonly seed: Score;
}

export interface StillsResult {
  readonly name: string;
  readonly ours: RuleResult;
  /** Ours with the centre of each subject who has many pictures; see personal.ts. */
  readonly oursPersonal: RuleResult & { readonly subjects: number };
  readonly seed: RuleResult;
  readonly subjects: readonly SubjectResult[];
}

/** A labelled picture that was looked at. */
export interface SeenRow extends LabelRow {
  readonly observation: FaceObservation;
}

function judge(row: SeenRow, said: Judged['said']): Judged {
  const { subject, expected, focused } = row;
  return { subject, expected, focused, said, faceFound: row.observation.face !== null };
}

function judgeOurs(row: SeenRow, context: VerdictContext = DEFAULT_CONTEXT): Judged {
  return judge(row, verdictOf(row.observation, context).direction);
}

function judgeSeed(row: SeenRow): Judged {
  return judge(row, row.observation.face?.seedDirection ?? 'no_face');
}

function resultOf(rows: readonly Judged[]): RuleResult {
  return { score: scoreOf(rows), confusion: confusionOf(rows) };
}

/** Scores of both rules on pictures that were looked at. */
export function evaluateStills(name: string, rows: readonly SeenRow[]): StillsResult {
  const contexts = personalContexts(rows);
  const names = [...new Set(rows.map((row) => row.subject))].sort();
  return {
    name,
    ours: resultOf(rows.map((row) => judgeOurs(row))),
    oursPersonal: {
      ...resultOf(rows.map((row) => judgeOurs(row, contexts.get(row.subject)))),
      subjects: contexts.size,
    },
    seed: resultOf(rows.map(judgeSeed)),
    subjects: names.map((subject) => {
      const own = rows.filter((row) => row.subject === subject);
      return {
        subject,
        ours: scoreOf(own.map((row) => judgeOurs(row))),
        seed: scoreOf(own.map(judgeSeed)),
      };
    }),
  };
}

/** The same for every group of pictures that the labels tell apart, or for all of them where they tell none. */
export function evaluateGroups(name: string, rows: readonly SeenRow[]): StillsResult[] {
  const groups = [...new Set(rows.map((row) => row.group))];
  if (groups.length === 1) return [evaluateStills(name, rows)];
  return groups.map((group) =>
    evaluateStills(
      `${name}, ${group ?? 'other'}`,
      rows.filter((row) => row.group === group),
    ),
  );
}

/**
 * Looks at every picture that a folder's labels.csv names. Returns null, having said why, when the
 * folder has no usable labels; pictures that cannot be read are said and left out.
 */
export async function lookAtFolder(
  dir: string,
  looker: Looker,
  skip: (what: string) => void,
): Promise<{ readonly name: string; readonly rows: readonly SeenRow[] } | null> {
  const name = basename(resolve(dir));
  let labels: ReturnType<typeof parseLabels>;
  try {
    labels = parseLabels(await readFile(join(dir, 'labels.csv'), 'utf8'));
  } catch (error) {
    skip(`${name}: ${describeError(error)}`);
    return null;
  }
  if (labels.faults.length > 0) {
    skip(`${name}: ${labels.faults.length} lines of labels.csv, the first: ${labels.faults[0]}`);
  }
  const rows: SeenRow[] = [];
  const unreadable: string[] = [];
  for (const row of labels.rows) {
    try {
      const { observation } = await looker.still(await readStill(resolve(dir, row.path)));
      rows.push({ ...row, observation });
    } catch (error) {
      unreadable.push(`${row.path} (${describeError(error)})`);
    }
  }
  if (unreadable.length > 0) skip(`${name}: ${unreadable.length} pictures cannot be read, the first: ${unreadable[0]}`);
  return rows.length === 0 ? null : { name, rows };
}
