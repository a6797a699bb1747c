import { type BandwidthRow, FORMATS, QUALITIES, SIZES_PX, WHOLE } from './bandwidth.ts';
import { formatName, type SendingWay, wayName } from './resend.ts';
import type { SentRow } from './sent.ts';
import { degrees, gazeText, percent, tableOf } from './table.ts';

/** Whole pictures and what pages send, by gaze and verdicts. */
export function sentTable(rows: readonly SentRow[]): string {
  return tableOf(
    [
      'sent',
      'mean bytes',
      'head still, after 5 points °',
      'head moving, uncalibrated °',
      'head pose °',
      'eyes 25° aside: off-screen',
      'head 15° aside: on-screen',
    ],
    rows.map(({ way, guided, meanBytes, result: { frontal, moving, headPose, eyes25, head15 } }) => [
      way === null && guided ? `${wayName(way)}, analysed as the next frame` : wayName(way),
      meanBytes.toFixed(0),
      gazeText(frontal.after5),
      gazeText(moving),
      [headPose.yawMaeDeg, headPose.pitchMaeDeg, headPose.rollMaeDeg].map((each) => degrees(each)).join(' / '),
      percent(eyes25.offScreen.ours),
      percent(head15.onScreen.ours),
    ]),
  );
}

/** Each size and quality in a row, each format in three columns. */
export function bandwidthTable(rows: readonly BandwidthRow[]): string {
  const cellsOf = (row: BandwidthRow | undefined): string[] =>
    row === undefined
      ? ['–', '–', '–']
      : [row.irisMedianPct.toFixed(2), percent(row.changedShare), row.meanBytes.toFixed(0)];
  const lineOf = ({ sizePx, quality }: Pick<SendingWay, 'sizePx' | 'quality'>): string[] => [
    sizePx === null ? 'whole frame' : String(sizePx),
    String(quality),
    ...FORMATS.flatMap(({ codec, grey }) =>
      cellsOf(
        rows.find(
          ({ way }) => way.sizePx === sizePx && way.quality === quality && way.codec === codec && way.grey === grey,
        ),
      ),
    ),
  ];
  return tableOf(
    [
      'side px',
      'quality',
      ...FORMATS.flatMap((format) => [`${formatName(format)}: shift %`, 'other direction %', 'bytes']),
    ],
    [...SIZES_PX.flatMap((sizePx) => QUALITIES.map((quality) => lineOf({ sizePx, quality }))), lineOf(WHOLE)],
  );
}
