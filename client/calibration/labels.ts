import type { Calibrated, CalibrationAnswer, CalibrationStatus } from '../../shared/protocol/calibration.ts';

/** Above this error a repeat is worth the student's time, degrees. */
const LARGE_ERROR_DEG = 5;

/** The larger of the two errors, whole degrees, at least 1; null when none is known. */
export function errorDegOf(errors: Pick<Calibrated, 'yawErrorDeg' | 'pitchErrorDeg'>): number | null {
  const { yawErrorDeg, pitchErrorDeg } = errors;
  if (yawErrorDeg === null || pitchErrorDeg === null) return null;
  return Math.max(1, Math.round(Math.max(yawErrorDeg, pitchErrorDeg)));
}

/** Texts of a result card. `repeat` is the label of its button, null if a repeat would not help. */
export interface ResultLabels {
  readonly title: string;
  readonly text: string;
  readonly repeat: string | null;
}

const ADVICE =
  'Sit with light on your face, look at each dot until it disappears, and keep your glasses on if you wear them.';

function calibratedLabels(answer: Calibrated): ResultLabels {
  const errorDeg = errorDegOf(answer);
  const failed = answer.points.filter(({ ok }) => !ok).length;
  if (!answer.applied) {
    return {
      title: 'The set-up did not work',
      text: `Your eye movements did not match the dots, so nothing was changed. ${ADVICE}`,
      repeat: 'Try again',
    };
  }
  const title = errorDeg === null ? 'Your screen is set up' : `Your gaze is now measured to about ${errorDeg}°`;
  if (failed > 0) {
    return {
      title,
      text: `${failed === 1 ? 'One dot' : `${failed} dots`} could not be measured. ${ADVICE}`,
      repeat: 'Repeat',
    };
  }
  if (errorDeg !== null && errorDeg > LARGE_ERROR_DEG) {
    return { title, text: `That is less accurate than usual. ${ADVICE}`, repeat: 'Repeat' };
  }
  const text = answer.kept
    ? 'It is saved for you in this browser.'
    : 'It is used until you stop; it could not be saved.';
  return { title, text, repeat: null };
}

/** The result of a calibration in words; `answer` is null when it was cut off. */
export function resultLabels(answer: CalibrationAnswer | null): ResultLabels {
  if (answer?.type === 'calibrated') return calibratedLabels(answer);
  switch (answer?.reason) {
    case 'too_few_readings': {
      const failed = answer.points.filter(({ ok }) => !ok).length;
      return {
        title: failed === 1 ? 'One dot could not be measured' : `${failed} dots could not be measured`,
        text: ADVICE,
        repeat: failed === 1 ? 'Show it again' : 'Show them again',
      };
    }
    case 'rule':
      return {
        title: 'This cannot be set up here',
        text: 'Your school uses a method that needs no set-up.',
        repeat: null,
      };
    default:
      return {
        title: 'The set-up was interrupted',
        text: 'The camera, the connection or the size of this window changed. Nothing was changed.',
        repeat: 'Try again',
      };
  }
}

const UNITS = [
  { ms: 86_400_000, one: 'a day', many: 'days' },
  { ms: 3_600_000, one: 'an hour', many: 'hours' },
  { ms: 60_000, one: 'a minute', many: 'minutes' },
] as const;

/** How long ago, in words: "just now", "3 hours ago". */
export function timeAgo(ageMs: number): string {
  const unit = UNITS.find(({ ms }) => ageMs >= ms);
  if (unit === undefined) return 'just now';
  const count = Math.floor(ageMs / unit.ms);
  return `${count === 1 ? unit.one : `${count} ${unit.many}`} ago`;
}

/** The calibration in use, as a line for the student. */
export function statusLabel(status: CalibrationStatus | null): string {
  if (status === null) return 'Your screen is not set up yet.';
  const errorDeg = errorDegOf(status);
  const exact = errorDeg === null ? '' : `; your gaze is measured to about ${errorDeg}°`;
  return `Your screen was set up ${timeAgo(status.ageMs)}${exact}.`;
}
