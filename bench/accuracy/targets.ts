import type { SentRow } from './sent.ts';
import type { SyntheticResult } from './synthetic/measure.ts';
import { degrees, gazeText, percent, tableOf } from './table.ts';

interface Target {
  readonly name: string;
  readonly wanted: string;
  readonly measured: string;
  readonly reached: boolean;
  readonly seed: string;
}

function targetsOf({ frontal, moving, headPose, eyes25, head15 }: SyntheticResult): readonly Target[] {
  const poseDeg = [headPose.yawMaeDeg, headPose.pitchMaeDeg, headPose.rollMaeDeg];
  return [
    {
      name: 'head still, after 5 points',
      wanted: '≤ 3.2° / 4.5°',
      measured: gazeText(frontal.after5),
      reached: (frontal.after5?.yawMaeDeg ?? 99) <= 3.2 && (frontal.after5?.pitchMaeDeg ?? 99) <= 4.5,
      seed: '–',
    },
    {
      name: 'head moving, uncalibrated',
      wanted: '≤ 4.5° / 5.2°',
      measured: gazeText(moving),
      reached: moving.yawMaeDeg <= 4.5 && moving.pitchMaeDeg <= 5.2,
      seed: '–',
    },
    {
      name: 'head pose, each axis',
      wanted: '≤ 3°',
      measured: poseDeg.map(degrees).join(' / '),
      reached: Math.max(...poseDeg) <= 3,
      seed: '–',
    },
    {
      name: `eyes 25° aside: off-screen (n = ${eyes25.n})`,
      wanted: '≥ 90 %',
      measured: percent(eyes25.offScreen.ours),
      reached: eyes25.offScreen.ours >= 0.9,
      seed: percent(eyes25.offScreen.seed),
    },
    {
      name: `head 15° aside, eyes on screen: on-screen (n = ${head15.n})`,
      wanted: '≥ 90 %',
      measured: percent(head15.onScreen.ours),
      reached: head15.onScreen.ours >= 0.9,
      seed: percent(head15.onScreen.seed),
    },
  ];
}

/** Targets, what whole pictures reach of them, and what those of a page's best step do, where they were measured. */
export function targetsTable(unharmed: SyntheticResult, sent: readonly SentRow[]): string {
  const best = sent.find(({ way }) => way !== null);
  const ofBest = best === undefined ? [] : targetsOf(best.result);
  const yesOrNo = (reached: boolean): string => (reached ? 'yes' : 'no');
  return tableOf(
    ['target', 'wanted', 'whole picture', 'reached', 'as sent', 'reached', 'seed’s rule, whole'],
    targetsOf(unharmed).map(({ name, wanted, measured, reached, seed }, i) => {
      const asSent = ofBest[i];
      return [
        name,
        wanted,
        measured,
        yesOrNo(reached),
        asSent?.measured ?? '–',
        asSent === undefined ? '–' : yesOrNo(asSent.reached),
        seed,
      ];
    }),
  );
}
