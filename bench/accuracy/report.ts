import type { AccuracyReport } from './accuracy-report.ts';
import type { Chart } from './charts.ts';
import { COVERS_NOTE } from './covers/notes.ts';
import { coversTable } from './covers/table.ts';
import { dotsJson } from './dots/measure.ts';
import { dotsTables } from './dots/table.ts';
import { GROUPS_NOTE, HEADS_NOTE } from './heads/notes.ts';
import { headsTables } from './heads/table.ts';
import {
  BANDWIDTH_INTRO,
  BANDWIDTH_NOTE,
  DOTS_INTRO,
  DOTS_NOTE,
  INTRO,
  SENT_INTRO,
  SENT_NOTE,
  SHORT,
  SYNTHETIC_NOTE,
  TARGETS_NOTE,
} from './notes.ts';
import { bandwidthTable, sentTable } from './sending-tables.ts';
import type { StillsResult } from './stills.ts';
import type { GazeError, SyntheticResult } from './synthetic/measure.ts';
import {
  clipsTable,
  confusionTable,
  degrees,
  gazeText,
  scoresTable,
  stillsRows,
  subjectsTable,
  tableOf,
} from './table.ts';
import { targetsTable } from './targets.ts';

function gazeTable(synthetic: SyntheticResult): string {
  return tableOf(
    [
      'yaw / pitch, mean absolute error °',
      'n',
      'uncalibrated',
      'after 1 point',
      'after 5 points',
      'front',
      'side',
      'hard side',
      'slope',
      'correlation',
    ],
    (['frontal', 'moving'] as const).map((name) => {
      const result = synthetic[name];
      return [
        name === 'frontal' ? 'head still' : 'head moving',
        String(result.n),
        gazeText(result),
        gazeText(result.after1),
        gazeText(result.after5),
        gazeText(result.byLight.front),
        gazeText(result.byLight.side),
        gazeText(result.byLight.hardSide),
        `${result.yaw.slope.toFixed(2)} / ${result.pitch.slope.toFixed(2)}`,
        `${result.yaw.correlation.toFixed(2)} / ${result.pitch.correlation.toFixed(2)}`,
      ];
    }),
  );
}

function poseTable({ headPose }: SyntheticResult): string {
  return tableOf(
    ['head', 'n', 'mean absolute error °', 'bias °', 'slope', 'correlation'],
    (['yaw', 'pitch', 'roll'] as const).map((axis) => {
      const fit = headPose[axis];
      return [
        axis,
        String(headPose.n),
        degrees(fit.maeDeg),
        degrees(fit.biasDeg),
        fit.slope.toFixed(2),
        fit.correlation.toFixed(2),
      ];
    }),
  );
}

function conditionsTable(synthetic: SyntheticResult): string {
  return scoresTable(
    Object.entries(synthetic.conditions).flatMap(([name, { ours, seed }]) => [
      { name: `${name}: ours`, score: ours },
      { name: `${name}: seed`, score: seed },
    ]),
  );
}

/** The tables that a terminal shows. */
export function tablesOf(report: AccuracyReport): string {
  const parts: string[] = [];
  if (report.stills.length > 0) parts.push(scoresTable(report.stills.flatMap(stillsRows)));
  for (const result of report.stills) parts.push(subjectsTable(result), confusionTable(result.ours.confusion));
  if (report.clips.length > 0) parts.push(clipsTable(report.clips));
  if (report.dots !== null) parts.push(dotsTables(report.dots));
  if (report.synthetic !== null) {
    const { synthetic } = report;
    parts.push(
      targetsTable(synthetic, report.sent),
      gazeTable(synthetic),
      poseTable(synthetic),
      conditionsTable(synthetic),
    );
  }
  if (report.heads !== null) parts.push(headsTables(report.heads));
  if (report.covers.length > 0) parts.push(coversTable(report.covers));
  if (report.sent.length > 0) parts.push(sentTable(report.sent));
  if (report.bandwidth.length > 0) parts.push(bandwidthTable(report.bandwidth));
  if (report.skipped.length > 0) parts.push(`Skipped:\n${report.skipped.map((what) => `- ${what}`).join('\n')}`);
  return parts.join('\n\n');
}

function uniqueNames(stills: readonly StillsResult[]): readonly string[] {
  return stills.map(({ name }, i) =>
    stills.slice(0, i).some((other) => other.name === name) ? `${name}-${i + 1}` : name,
  );
}

/** What `--json` prints: shares are 0–1, angles degrees; synthetic is null when it was skipped. */
export function jsonOf(report: AccuracyReport): unknown {
  const names = uniqueNames(report.stills);
  const { synthetic } = report;
  const gazeJson = (error: GazeError | null) =>
    error === null ? null : { n: error.n, yawMaeDeg: error.yawMaeDeg, pitchMaeDeg: error.pitchMaeDeg };
  return {
    dataSets: Object.fromEntries(
      report.stills.map((result, i) => [
        names[i],
        {
          ours: result.ours.score,
          oursPersonalCenter: result.oursPersonal.subjects > 0 ? result.oursPersonal.score : null,
          seed: result.seed.score,
          confusion: result.ours.confusion,
          subjects: result.subjects,
        },
      ]),
    ),
    clips: report.clips,
    covers: report.covers,
    heads: report.heads,
    dots: report.dots === null ? null : dotsJson(report.dots),
    synthetic:
      synthetic === null
        ? null
        : {
            ...synthetic,
            frontal: {
              ...synthetic.frontal,
              after1: gazeJson(synthetic.frontal.after1),
              after5: gazeJson(synthetic.frontal.after5),
            },
          },
    sent: report.sent.map(({ way, guided, meanBytes, result }) => ({
      way,
      guided,
      meanBytes,
      after5: gazeJson(result.frontal.after5),
      moving: gazeJson(result.moving),
      headPose: { yawMaeDeg: result.headPose.yawMaeDeg, pitchMaeDeg: result.headPose.pitchMaeDeg },
      eyes25OffScreen: result.eyes25.offScreen.ours,
      head15OnScreen: result.head15.onScreen.ours,
    })),
    bandwidth: report.bandwidth.map(({ way, ...measured }) => ({ ...way, ...measured })),
    skipped: report.skipped,
  };
}

/** docs/accuracy.md. */
export function markdownOf(report: AccuracyReport, charts: readonly Chart[]): string {
  const image = (name: string): string => {
    const chart = charts.find((each) => each.name === name);
    return chart === undefined ? '' : `![${chart.title}](images/${chart.name})\n`;
  };
  const { synthetic } = report;
  const parts = [INTRO];
  if (report.dots !== null)
    parts.push(`## People at their laptops\n\n${DOTS_INTRO}`, `${dotsTables(report.dots)}\n`, DOTS_NOTE);
  if (synthetic !== null) {
    parts.push(
      `## Rendered head, exact truth\n\n${SYNTHETIC_NOTE}`,
      `n = ${synthetic.n}, a face was found in ${synthetic.facesFound}.\n`,
      `${targetsTable(synthetic, report.sent)}\n`,
      TARGETS_NOTE,
      `${gazeTable(synthetic)}\n`,
      `The calibration's own validation error (each point predicted from the others) is ${degrees(synthetic.calibrationValidation.yawDeg)}° / ${degrees(synthetic.calibrationValidation.pitchDeg)}° in the mean.\n`,
      image('accuracy-gaze-yaw.svg'),
      image('accuracy-gaze-pitch.svg'),
      `${poseTable(synthetic)}\n`,
      `### Looks as people have them\n\nPart with the head, part with the eyes, and the same behind dark-rimmed glasses, in a fifth of the light, near the frame's edge, and at 120 cm (about 25 px between the eyes).\n`,
      `${conditionsTable(synthetic)}\n`,
      image('accuracy-states.svg'),
      `What was said for each labelled state (\`states\`):\n\n${confusionTable(synthetic.conditions.states?.confusion ?? {})}\n`,
    );
  }
  if (report.sent.length > 0) {
    parts.push(`## Gaze from pictures as they are sent\n\n${SENT_INTRO}`, `${sentTable(report.sent)}\n`, SENT_NOTE);
  }
  parts.push('## Real pictures\n');
  if (report.stills.length === 0) parts.push('None were given with `--dir`.\n');
  else parts.push(`${scoresTable(report.stills.flatMap(stillsRows))}\n`);
  for (const result of report.stills) {
    parts.push(
      `### ${result.name}\n\n${confusionTable(result.ours.confusion)}\n`,
      `By subject (focus: balanced where both kinds are there, else the recall of the one that is):\n\n${subjectsTable(result)}\n`,
    );
  }
  if (report.clips.length > 0) {
    parts.push(
      `## Clips\n\nThrough the tracker, as in a session. The labels are in \`harness/clips\`, made by looking at the frames.\n\n${clipsTable(report.clips)}\n`,
    );
  }
  if (report.heads !== null)
    parts.push(`## Unlike heads\n\n${HEADS_NOTE}`, `${headsTables(report.heads)}\n`, GROUPS_NOTE);
  if (report.covers.length > 0)
    parts.push(`## Covered eyes and lenses\n\n${COVERS_NOTE}`, `${coversTable(report.covers)}\n`);
  if (report.bandwidth.length > 0) {
    parts.push(
      `## How small a face may be sent\n\n${BANDWIDTH_INTRO}\nn = ${report.bandwidth[0]?.n}.\n\n${bandwidthTable(report.bandwidth)}\n`,
      image('accuracy-bandwidth.svg'),
      BANDWIDTH_NOTE,
    );
  }
  parts.push(`## What falls short, and what is not measured\n\n${SHORT}`);
  if (report.skipped.length > 0)
    parts.push(`Skipped in this run:\n\n${report.skipped.map((what) => `- ${what}`).join('\n')}\n`);
  return `${parts.filter((part) => part !== '').join('\n')}`;
}
