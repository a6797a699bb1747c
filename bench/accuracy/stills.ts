import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { describeError } from '../../shared/errors.ts';
import { type Verdict, verdictOf } from '../../shared/vision/verdict.ts';
import { strangerContext } from './context.ts';
import { parseLabels, type SeenRow } from './labels.ts';
import { type Looker, readStill } from './look.ts';
import { personalVerdicts } from './personal.ts';
import { confusionOf, type Judged, type Score, scoreOf } from './score.ts';

/** How many pictures are analysed between two lines of progress. */
export const PROGRESS_EVERY = 100;

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

function judge(row: SeenRow, said: Judged['said']): Judged {
  const { subject, expected, focused } = row;
  return { subject, expected, focused, said, faceFound: row.observation.face !== null };
}

function judgeOurs(row: SeenRow, personal?: Verdict): Judged {
  const verdict = personal ?? verdictOf(row.observation, strangerContext(row.observation, row.frame));
  return judge(row, verdict.direction);
}

function judgeSeed(row: SeenRow): Judged {
  return judge(row, row.observation.face?.seedDirection ?? 'no_face');
}

function resultOf(rows: readonly Judged[]): RuleResult {
  return { score: scoreOf(rows), confusion: confusionOf(rows) };
}

/** Scores of both rules on the pictures analysed. */
export function evaluateStills(name: string, rows: readonly SeenRow[]): StillsResult {
  const personal = personalVerdicts(rows);
  const names = [...new Set(rows.map((row) => row.subject))].sort();
  return {
    name,
    ours: resultOf(rows.map((row) => judgeOurs(row))),
    oursPersonal: {
      ...resultOf(rows.map((row) => judgeOurs(row, personal.get(row)))),
      subjects: new Set([...personal.keys()].map((row) => row.subject)).size,
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

/** Text of a labels file: UTF-8, or UTF-16 where its first bytes say so, as spreadsheets write it. */
async function readLabels(path: string): Promise<string> {
  const bytes = await readFile(path);
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes);
}

/** Up to three examples of what went wrong, for one line. */
function someOf(faults: readonly string[]): string {
  const more = faults.length > 3 ? `; and ${faults.length - 3} more` : '';
  return `${faults.slice(0, 3).join('; ')}${more}`;
}

/**
 * Looks at every picture that a folder's labels.csv names; a path to a CSV file stands for its folder.
 * Returns null, having said why, when there are no usable labels; pictures that cannot be read are said
 * and left out.
 */
export async function lookAtFolder(
  path: string,
  looker: Looker,
  say: { readonly skip: (what: string) => void; readonly progress: (what: string) => void },
): Promise<{ readonly name: string; readonly rows: readonly SeenRow[] } | null> {
  const file = path.toLowerCase().endsWith('.csv') ? resolve(path) : resolve(path, 'labels.csv');
  const dir = dirname(file);
  const name = basename(dir);
  let labels: ReturnType<typeof parseLabels>;
  try {
    labels = parseLabels(await readLabels(file));
  } catch (error) {
    say.skip(`${name}: ${describeError(error)}`);
    return null;
  }
  if (labels.faults.length > 0) say.skip(`${name}: labels: ${someOf(labels.faults)}`);
  const rows: SeenRow[] = [];
  const unreadable: string[] = [];
  for (const [i, row] of labels.rows.entries()) {
    try {
      const shot = await readStill(resolve(dir, row.path));
      const { observation } = await looker.still(shot);
      rows.push({ ...row, observation, frame: shot.frame });
    } catch (error) {
      unreadable.push(`${row.path} (${describeError(error)})`);
    }
    if ((i + 1) % PROGRESS_EVERY === 0) say.progress(`${name}: analysed ${i + 1} of ${labels.rows.length}`);
  }
  if (unreadable.length > 0) say.skip(`${name}: not to be read: ${someOf(unreadable)}`);
  if (rows.length === 0) say.skip(`${name}: no labelled picture that can be read`);
  return rows.length === 0 ? null : { name, rows };
}
