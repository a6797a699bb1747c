import type { ClipResult } from './clips.ts';
import type { Score } from './score.ts';
import type { StillsResult } from './stills.ts';
import type { GazeError } from './synthetic/measure.ts';

/** A share as a percentage; a dash for none. */
export function percent(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : `${(100 * value).toFixed(1)}`;
}

/** Degrees; a dash for none. */
export function degrees(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : value.toFixed(1);
}

/** Yaw and pitch of an error, degrees; a dash for none. */
export function gazeText(error: GazeError | null): string {
  return error === null ? '–' : `${degrees(error.yawMaeDeg)} / ${degrees(error.pitchMaeDeg)}`;
}

/** Rows of text under a header, as Markdown with aligned columns, which reads well in a terminal too. */
export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, i) => Math.max(3, name.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${header.map((_, i) => (cells[i] ?? '').padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(header), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

const SCORE_HEADER = [
  'n',
  'faces',
  'focus balanced',
  'focused',
  'unfocused',
  'macro',
  'centre',
  'left',
  'right',
  'up',
  'down',
  'closed',
  'turned',
  'closed alarms',
];

function scoreCells(score: Score): string[] {
  const { focus, states, closed } = score;
  return [
    String(score.n),
    String(score.facesFound),
    percent(focus.balancedAccuracy),
    percent(focus.recallFocused),
    percent(focus.recallUnfocused),
    percent(states.macroRecall),
    percent(states.recall.centered),
    percent(states.recall.looking_left),
    percent(states.recall.looking_right),
    percent(states.recall.looking_up),
    percent(states.recall.looking_down),
    percent(closed.recall),
    percent(states.recall.face_turned),
    percent(closed.falseAlarm),
  ];
}

/** Both rules on every set; shares in per cent. */
export function scoresTable(rows: readonly { readonly name: string; readonly score: Score }[]): string {
  return tableOf(
    ['set', ...SCORE_HEADER],
    rows.map(({ name, score }) => [name, ...scoreCells(score)]),
  );
}

/** The rows that a set of stills adds to scoresTable. */
export function stillsRows(result: StillsResult): { name: string; score: Score }[] {
  const personal = result.oursPersonal.subjects > 0;
  return [
    { name: `${result.name}: ours`, score: result.ours.score },
    ...(personal ? [{ name: `${result.name}: ours, own centre`, score: result.oursPersonal.score }] : []),
    { name: `${result.name}: seed`, score: result.seed.score },
  ];
}

/** Scores by subject. */
export function subjectsTable(result: StillsResult): string {
  return tableOf(
    ['subject', 'n', 'focus ours', 'focus seed', 'macro ours', 'macro seed', 'closed ours', 'closed seed'],
    result.subjects.map(({ subject, ours, seed }) => [
      subject,
      String(ours.n),
      percent(ours.focus.balancedAccuracy ?? ours.focus.recallFocused ?? ours.focus.recallUnfocused),
      percent(seed.focus.balancedAccuracy ?? seed.focus.recallFocused ?? seed.focus.recallUnfocused),
      percent(ours.states.macroRecall),
      percent(seed.states.macroRecall),
      percent(ours.closed.recall),
      percent(seed.closed.recall),
    ]),
  );
}

/** What was said for each state, in pictures. */
export function confusionTable(confusion: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  const said = [...new Set(Object.values(confusion).flatMap((line) => Object.keys(line)))].sort();
  return tableOf(
    ['labelled \\ said', ...said],
    Object.entries(confusion).map(([state, line]) => [state, ...said.map((name) => String(line[name] ?? ''))]),
  );
}

/** Focused time of clips, labelled and as each rule has it. */
export function clipsTable(clips: readonly ClipResult[]): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  return tableOf(
    ['clip', 'labelled s', 'focused s', 'ours s', 'seed s', 'frames right ours', 'frames right seed'],
    clips.map((clip) => [
      clip.name,
      seconds(clip.labelledMs),
      seconds(clip.labelledFocusedMs),
      seconds(clip.ours.focusedMs),
      seconds(clip.seed.focusedMs),
      percent(clip.ours.score.focus.recallFocused),
      percent(clip.seed.score.focus.recallFocused),
    ]),
  );
}
