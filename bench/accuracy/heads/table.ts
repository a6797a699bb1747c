import { degrees, percent, tableOf as table } from '../table.ts';
import type { HeadsResult } from './measure.ts';

/** What unlike heads show: the targets' figures, then looks at the screen by group. */
export function headsTables(heads: HeadsResult): string {
  const pair = ({ yawMaeDeg, pitchMaeDeg }: { readonly yawMaeDeg: number; readonly pitchMaeDeg: number }): string =>
    `${degrees(yawMaeDeg)} / ${degrees(pitchMaeDeg)}`;
  const summary = table(
    [
      'heads',
      'still, after 5 points °',
      'moving, after 5 points °',
      'moving, after 5 points and turning °',
      'hard light from the side, yaw °',
      'looks down behind glasses',
    ],
    [
      [
        String(heads.n),
        pair(heads.still.after5),
        pair(heads.moving.after5),
        pair(heads.moving.afterTurning),
        degrees(heads.hardSide.yawMaeDeg),
        percent(heads.glassesDownRecall),
      ],
    ],
  );
  const groups = table(
    ['looks at the screen', 'n', 'on-screen', 'yaw / pitch, mean absolute error °'],
    heads.groups.map((group) => [group.group, String(group.n), percent(group.onScreen), pair(group)]),
  );
  return `${summary}\n\n${groups}`;
}
