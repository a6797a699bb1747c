import { parseArgs } from 'node:util';
import { seededRandom } from '../harness/random.ts';
import type { Mode } from '../shared/direction.ts';
import { quantile, round } from './lib/stats.ts';
import { ACTIVITIES, LESSON_MIX, makeLesson, STEP_MS } from './rate/lesson.ts';
import { changeDelaysMs, play } from './rate/play.ts';

const MINUTES = 45;
const FULL_FPS = 5;
const REFERENCE_FPS = 10;

/** Figures of simulated lessons at the rate that follows information, beside every picture at 5/s and at 10/s. */
export function simulate(lessons: number, minutes: number, mode: Mode = 'server') {
  const rows = Array.from({ length: lessons }, (_, seed) => {
    const lesson = makeLesson(minutes, seededRandom(seed + 1));
    const ours = play(lesson, { mode, checksPerSecond: FULL_FPS, calm: true }, seededRandom(seed + 100));
    const fixed = play(lesson, { mode, checksPerSecond: FULL_FPS, calm: false }, seededRandom(seed + 200));
    const reference = play(lesson, { mode, checksPerSecond: REFERENCE_FPS, calm: false }, seededRandom(seed + 300));
    const truthMs = lesson.filter(({ isFocused }) => isFocused).length * STEP_MS;
    return { lesson, ours, fixed, reference, truthMs };
  });
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0);
  const seconds = sum(({ ours }) => ours.lengthMs) / 1000;
  const delays = (of: 'ours' | 'fixed' | 'reference') => rows.flatMap((row) => changeDelaysMs(row.lesson, row[of]));
  const p95 = (of: 'ours' | 'fixed' | 'reference') => quantile(delays(of), 0.95);
  return {
    inferencesPerSecond: round(sum(({ ours }) => ours.inferences) / seconds, 2),
    inferencesPerSecondBy: Object.fromEntries(
      ACTIVITIES.map((activity) => {
        const inSeconds =
          sum(({ lesson }) => lesson.filter((moment) => moment.activity === activity).length) * (STEP_MS / 1000);
        return [activity, round(sum(({ ours }) => ours.inferencesBy[activity]) / inSeconds, 2)];
      }),
    ),
    messagesPerSecond: round(sum(({ ours }) => ours.inferences + ours.sames) / seconds, 2),
    focusedErrorPercent: round(
      (100 * sum(({ ours, reference }) => ours.focusedMs - reference.focusedMs)) /
        sum(({ reference }) => reference.focusedMs),
      2,
    ),
    worstFocusedErrorPercent: round(
      Math.max(
        ...rows.map(
          ({ ours, reference }) => (100 * Math.abs(ours.focusedMs - reference.focusedMs)) / reference.focusedMs,
        ),
      ),
      2,
    ),
    focusedAgainstTruthPercent: round(
      (100 * sum(({ ours, truthMs }) => ours.focusedMs - truthMs)) / sum(({ truthMs }) => truthMs),
      2,
    ),
    changes: delays('ours').length,
    toldChanges: sum(({ ours }) => ours.told.length),
    toldChangesAt10: sum(({ reference }) => reference.told.length),
    changeToldMsP95: p95('ours'),
    changeToldMsP95Fixed5: p95('fixed'),
    changeToldMsP95At10: p95('reference'),
  };
}

/**
 * `npm run bench -- rate [--lessons N] [--json]`: simulated lessons of 45 minutes (rate/lesson.ts) through the page's own rule of what
 * to send and the gateway's own reducer. Keys: `inferencesPerSecond`, `messagesPerSecond` of one student; focused time
 * against 10 pictures a second (`focusedErrorPercent`, `worstFocusedErrorPercent` of a lesson) and against the truth; from a change of state
 * to the update that tells it, 95 of 100 are faster (`changeToldMsP95`, and with every picture at 5/s and 10/s); how often the page was told
 * of one (`toldChanges`, and with every picture at 10/s: more of them would be flicker). `device`: the same keys of device mode,
 * where `inferencesPerSecond` counts observations that are sent.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { lessons: { type: 'string', default: '10' }, json: { type: 'boolean', default: false } },
  });
  const lessons = Number(values.lessons);
  const device = simulate(lessons, MINUTES, 'device');
  const result = { ...simulate(lessons, MINUTES), device };
  const mix = ACTIVITIES.map((activity) => `${activity} ${round(LESSON_MIX[activity] * 100, 0)} %`).join(', ');
  process.stdout.write(`${values.lessons} simulated lessons of ${MINUTES} minutes: ${mix}\n`);
  for (const [name, value] of Object.entries(result))
    process.stdout.write(`  ${name.padEnd(28)} ${JSON.stringify(value)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
}
