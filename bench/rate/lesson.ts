import { eyeSeen, faceAtScreen, NO_FACE } from '../../harness/observations.ts';
import { normal } from '../../harness/random.ts';
import type { FaceObservation } from '../../shared/observation.ts';

/** What a student does. */
export const ACTIVITIES = ['still', 'reading', 'moving', 'away'] as const;
export type Activity = (typeof ACTIVITIES)[number];

/**
 * Share of a lesson's time. Reading is most of one; a video or a thought keeps a student still; to sit differently, talk and
 * nod is moving; away is a look at a phone or a neighbour, or an empty chair.
 */
export const LESSON_MIX: Readonly<Record<Activity, number>> = { still: 0.2, reading: 0.55, moving: 0.1, away: 0.15 };
/** Mean length of one stretch, s. */
const STRETCH_S: Readonly<Record<Activity, number>> = { still: 20, reading: 40, moving: 6, away: 9 };

/** One moment of a student: true angles, degrees; `present` false is an empty chair. */
export interface Moment {
  readonly activity: Activity;
  readonly isFocused: boolean;
  readonly present: boolean;
  readonly headYawDeg: number;
  readonly headPitchDeg: number;
  readonly eyeYawDeg: number;
  readonly eyePitchDeg: number;
  readonly isBlinking: boolean;
}

/** Truth is made in steps of this, ms. */
export const STEP_MS = 20;

/** Reading: a fixation of a quarter of a second, 2° on, at the line's end 14° back (K. Rayner, Psychological Bulletin 124, 1998). */
const FIXATION_MS = 250;
const SACCADE_DEG = 2;
const LINE_DEG = 14;
/** Blinks: 15 a minute, 150 ms each (A. R. Bentivoglio et al., Movement Disorders 12, 1997). */
const BLINK_EVERY_MS = 4000;
const BLINK_MS = 150;
/** A head that is turned by more than this looks past the screen, wherever its eyes are. */
const AWAY_FROM_DEG = 22;
/** A head that is held still sways this much, with this time constant; one that moves is turned to another place every second or so. */
const SWAY_DEG = 0.5;
const SWAY_TAU_MS = 2500;
const TURN_DEG = 8;
const TURN_EVERY_MS = 1200;
/** A head or an eye takes this long to its new place. */
const TURN_TAU_MS = 120;

/** A lesson of `minutes`, STEP_MS apart; `random` yields 0–1. */
export function makeLesson(minutes: number, random: () => number): readonly Moment[] {
  const moments: Moment[] = [];
  const total = (minutes * 60_000) / STEP_MS;
  let activity: Activity = 'still';
  let leftMs = 0;
  let present = true;
  let awayYawDeg = 0;
  let awayPitchDeg = 0;
  const head = { yawDeg: 0, pitchDeg: -7, toYawDeg: 0, toPitchDeg: -7 };
  const sway = { yawDeg: 0, pitchDeg: 0 };
  let gazeDeg = 0;
  let fixationLeftMs = 0;
  let turnLeftMs = 0;
  let blinkLeftMs = 0;
  for (let step = 0; step < total; step += 1) {
    if (leftMs <= 0) {
      activity = pickActivity(random);
      leftMs = STRETCH_S[activity] * 1000 * (0.4 + 1.2 * random());
      present = activity !== 'away' || random() < 0.7;
      awayYawDeg = (random() < 0.5 ? -1 : 1) * (35 + 20 * random());
      awayPitchDeg = random() < 0.5 ? -35 : 0;
    }
    leftMs -= STEP_MS;
    turnLeftMs -= STEP_MS;
    if (activity === 'away') [head.toYawDeg, head.toPitchDeg] = [awayYawDeg, -7 + awayPitchDeg];
    else if (activity !== 'moving') [head.toYawDeg, head.toPitchDeg] = [0, -7];
    else if (turnLeftMs <= 0) {
      turnLeftMs = TURN_EVERY_MS * (0.5 + random());
      [head.toYawDeg, head.toPitchDeg] = [TURN_DEG * (2 * random() - 1), -7 + (TURN_DEG / 2) * (2 * random() - 1)];
    }
    const follow = 1 - Math.exp(-STEP_MS / TURN_TAU_MS);
    head.yawDeg += follow * (head.toYawDeg - head.yawDeg);
    head.pitchDeg += follow * (head.toPitchDeg - head.pitchDeg);
    const fade = Math.exp(-STEP_MS / SWAY_TAU_MS);
    const kick = SWAY_DEG * Math.sqrt(1 - fade * fade);
    sway.yawDeg = sway.yawDeg * fade + kick * normal(random);
    sway.pitchDeg = sway.pitchDeg * fade + kick * normal(random);
    fixationLeftMs -= STEP_MS;
    if (activity === 'reading' && fixationLeftMs <= 0) {
      fixationLeftMs = FIXATION_MS * (0.6 + 0.8 * random());
      gazeDeg = gazeDeg + SACCADE_DEG > LINE_DEG / 2 ? -LINE_DEG / 2 : gazeDeg + SACCADE_DEG;
    }
    blinkLeftMs -= STEP_MS;
    if (blinkLeftMs <= -BLINK_EVERY_MS * (0.5 + random())) blinkLeftMs = BLINK_MS;
    // While the head turns, the eyes stay on their target.
    const holds = activity !== 'away';
    const turnedDeg = Math.hypot(head.yawDeg, head.pitchDeg + 7);
    moments.push({
      activity,
      isFocused: present && turnedDeg < AWAY_FROM_DEG,
      present,
      headYawDeg: head.yawDeg + sway.yawDeg,
      headPitchDeg: head.pitchDeg + sway.pitchDeg,
      eyeYawDeg: (activity === 'reading' ? gazeDeg : 0) - (holds ? head.yawDeg : 0),
      eyePitchDeg: holds ? -(head.pitchDeg + 7) : 0,
      isBlinking: blinkLeftMs > 0,
    });
  }
  return moments;
}

/** Shares are of time, so an activity is picked by its share over the length of its stretches. */
function pickActivity(random: () => number): Activity {
  const weights = ACTIVITIES.map((activity) => LESSON_MIX[activity] / STRETCH_S[activity]);
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, activity] of ACTIVITIES.entries()) {
    left -= weights[index] ?? 0;
    if (left <= 0) return activity;
  }
  return 'reading';
}

/** Scatter of what inference measures (docs/accuracy.md), degrees. */
const HEAD_NOISE_DEG = 0.4;
const EYE_NOISE_DEG = 1.5;
const OPEN = 0.28;
const SHUT = 0.05;

/** What inference measures of a moment. */
export function observe(moment: Moment, random: () => number): FaceObservation {
  if (!moment.present) return NO_FACE;
  const openness = moment.isBlinking ? SHUT : OPEN;
  const eye = () =>
    eyeSeen(
      moment.eyeYawDeg + EYE_NOISE_DEG * normal(random),
      moment.eyePitchDeg + EYE_NOISE_DEG * normal(random),
      openness,
    );
  return faceAtScreen({
    headYawDeg: moment.headYawDeg + HEAD_NOISE_DEG * normal(random),
    headPitchDeg: moment.headPitchDeg + HEAD_NOISE_DEG * normal(random),
    imageLeftEye: eye(),
    imageRightEye: eye(),
  });
}

/**
 * Levels of luma by which the cell that differs most moves: a head of 75 px between the eyes turns its features by about a
 * pixel a degree, an eye its iris by a quarter of one, in cells of 8 px with contrasts of 80 and 70; lids that shut uncover skin.
 */
const HEAD_LEVELS_PER_DEG = 10;
const EYE_LEVELS_PER_DEG = 2.2;
const BLINK_LEVELS = 40;
const OTHER_PICTURE = 255;
const NOISE_LEVELS = 2.2;

/** What the page finds between the picture that it sent last and now, levels of the cell that differs most, 0–255. */
export function differenceOf(sent: Moment, now: Moment, random: () => number): number {
  if (sent.present !== now.present) return OTHER_PICTURE;
  const noise = NOISE_LEVELS * (0.7 + 0.6 * random());
  if (!now.present) return noise;
  const headDeg = Math.hypot(now.headYawDeg - sent.headYawDeg, now.headPitchDeg - sent.headPitchDeg);
  const eyeDeg = Math.hypot(now.eyeYawDeg - sent.eyeYawDeg, now.eyePitchDeg - sent.eyePitchDeg);
  const lids = now.isBlinking === sent.isBlinking ? 0 : BLINK_LEVELS;
  const levels = HEAD_LEVELS_PER_DEG * headDeg + EYE_LEVELS_PER_DEG * eyeDeg + lids + noise;
  return Math.min(OTHER_PICTURE, levels);
}
