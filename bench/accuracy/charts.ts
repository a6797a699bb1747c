import { gazeOf } from '../../shared/vision/gaze.ts';
import { barChart, COLORS, pointChart } from '../lib/svg.ts';
import type { AccuracyReport } from './accuracy-report.ts';
import { FORMATS, type QUALITIES, SIZES_PX } from './bandwidth.ts';
import { formatName } from './resend.ts';
import { trueGazeOf } from './synthetic/measure.ts';
import { LIGHTS } from './synthetic/scene.ts';

export interface Chart {
  /** File name in docs/images. */
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

function gazeChart(report: AccuracyReport, axis: 'yawDeg' | 'pitchDeg', name: string): Chart {
  const title = `Uncalibrated gaze, head still: ${axis === 'yawDeg' ? 'yaw' : 'pitch'} against the truth`;
  const limit = axis === 'yawDeg' ? 50 : 40;
  const series = LIGHTS.map((light, i) => ({
    name: `light: ${light}`,
    color: COLORS[i] ?? COLORS[0],
    points: report.frames.flatMap(({ set, scene, observation }) =>
      set === 'frontal' && scene.light === light && observation.face !== null
        ? [{ x: trueGazeOf(scene)[axis], y: Math.max(-limit, Math.min(limit, gazeOf(observation.face)[axis])) }]
        : [],
    ),
  }));
  const axisOf = (label: string) => ({ label, min: -limit, max: limit, step: 10 });
  const svg = pointChart(title, { x: axisOf('true, degrees'), y: axisOf('estimated, degrees') }, series, {
    joined: false,
    diagonal: true,
  });
  return { name, title, svg };
}

function statesChart(report: AccuracyReport): Chart[] {
  const states = report.synthetic?.conditions.states;
  if (states === undefined) return [];
  const names = ['centered', 'looking_left', 'looking_right', 'looking_up', 'looking_down', 'eyes_closed'];
  const title = 'Recall by state, rendered looks';
  const valuesOf = (recall: Readonly<Record<string, number>>) => names.map((name) => recall[name] ?? null);
  const svg = barChart(
    title,
    names.map((name) => name.replace(/^(looking|eyes)_/, '')),
    [
      { name: 'gaze-relay', color: COLORS[0], values: valuesOf(states.ours.states.recall) },
      { name: 'seed’s rule', color: COLORS[1], values: valuesOf(states.seed.states.recall) },
    ],
  );
  return [{ name: 'accuracy-states.svg', title, svg }];
}

/** The quality that the best step of the ladder has. */
const CHARTED_QUALITY = 0.4 satisfies (typeof QUALITIES)[number];

function bandwidthChart(report: AccuracyReport): Chart[] {
  const rows = report.bandwidth.filter(({ way }) => way.sizePx !== null && way.quality === CHARTED_QUALITY);
  if (rows.length === 0) return [];
  const title = `Bytes of a face crop at quality ${CHARTED_QUALITY} against the shift of the irises`;
  const series = FORMATS.map((format, i) => ({
    name: formatName(format),
    color: COLORS[i] ?? COLORS[0],
    points: SIZES_PX.flatMap((size) => {
      const row = rows.find(({ way }) => way.sizePx === size && way.codec === format.codec && way.grey === format.grey);
      if (row === undefined) return [];
      const point = { x: row.meanBytes / 1000, y: row.irisMedianPct };
      // Colour's points lie beside those of grey, in the same order.
      return [format.grey ? { ...point, label: `${size}` } : point];
    }),
  }));
  const top = Math.ceil(Math.max(...rows.map((row) => row.irisMedianPct)) * 2) / 2;
  const right = Math.ceil(Math.max(...rows.map((row) => row.meanBytes)) / 500) / 2;
  const svg = pointChart(
    title,
    {
      x: { label: 'mean bytes, kB (figures: side in px, grey; colour alike)', min: 0, max: right, step: 0.5 },
      y: { label: 'median iris shift, % of the iris distance', min: 0, max: top, step: 0.5 },
    },
    series,
    { joined: true, diagonal: false },
  );
  return [{ name: 'accuracy-bandwidth.svg', title, svg }];
}

/** The charts of a report, as far as its data is there. */
export function chartsOf(report: AccuracyReport): readonly Chart[] {
  const gaze =
    report.synthetic === null
      ? []
      : [
          gazeChart(report, 'yawDeg', 'accuracy-gaze-yaw.svg'),
          gazeChart(report, 'pitchDeg', 'accuracy-gaze-pitch.svg'),
        ];
  return [...gaze, ...statesChart(report), ...bandwidthChart(report)];
}
