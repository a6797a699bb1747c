import type { Fit } from '../fit.ts';
import { degrees, percent, tableOf } from '../table.ts';
import type { DotShares, DotsResult } from './measure.ts';

function shareCells({ default: byDefault, ownCentre, after5, before }: DotShares): string[] {
  return [percent(byDefault), percent(ownCentre), percent(after5), percent(before)];
}

function fitCells({ correlation, slope, biasDeg, maeDeg }: Fit): string[] {
  return [correlation.toFixed(2), slope.toFixed(2), degrees(biasDeg), degrees(maeDeg)];
}

/** On-screen recall and gaze by person and of all, whole and as sent. */
export function dotsTables({ n, onScreen, asSent, closedAlarms, yaw, pitch, people }: DotsResult): string {
  const rows = [...people, { person: 'all', n, onScreen, asSent, yaw, pitch }];
  const recall = tableOf(
    [
      'on-screen %',
      'n',
      'uncalibrated',
      'own centre',
      'after 5 dots',
      'session before',
      'as sent: uncalibrated',
      'own centre',
      'after 5 dots',
      'session before',
    ],
    rows.map((row) => [row.person, String(row.n), ...shareCells(row.onScreen), ...shareCells(row.asSent)]),
  );
  const gaze = tableOf(
    ['gaze, uncalibrated', 'yaw: r', 'slope', 'bias °', 'error °', 'pitch: r', 'slope', 'bias °', 'error °'],
    rows.map((row) => [row.person, ...fitCells(row.yaw), ...fitCells(row.pitch)]),
  );
  const closed = `Open eyes called closed: ${percent(closedAlarms.whole)} % whole, ${percent(closedAlarms.asSent)} % as sent.`;
  return `${recall}\n\n${gaze}\n\n${closed}`;
}
