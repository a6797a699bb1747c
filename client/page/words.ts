import type { FocusState } from '../../shared/direction.ts';
import type { PageDirection } from '../widget/payload.ts';

/** What the page shows as the state, beyond the four kinds of time. */
export type ShownState = FocusState | 'no_face';

export interface Explanation {
  readonly title: string;
  /** What it means, and what to do about it where there is something. */
  readonly meaning: string;
}

const EXPLANATIONS: Readonly<Record<ShownState, Explanation>> = {
  focused: {
    title: 'Focused',
    meaning: 'Your face and your gaze are towards the screen. This time counts as focused.',
  },
  unfocused: {
    title: 'Not focused',
    meaning: 'Your gaze is away from the screen. Look back at the lesson when you are ready.',
  },
  no_face: {
    title: 'No face',
    meaning: 'Nobody is in the picture. Sit in front of the camera, with light on your face.',
  },
  unknown: {
    title: 'Unknown',
    meaning:
      'The picture does not show enough to tell: too dark, too far away, covered or frozen. This does not count against you.',
  },
  untracked: {
    title: 'Not tracked',
    meaning: 'No pictures reach the server at the moment. This time counts as neither focused nor unfocused.',
  },
};

/** State to show: an absent student is told so, whatever kind of time that is. */
export function shownState(state: FocusState, direction: PageDirection | null): ShownState {
  return direction === 'no_face' && state !== 'focused' && state !== 'untracked' ? 'no_face' : state;
}

export function explain(state: ShownState): Explanation {
  return EXPLANATIONS[state];
}

/**
 * Direction in words, from the student's own point of view: the wire's sides are those of the
 * unmirrored picture, where the student's right is on the left.
 */
export function directionForStudent(direction: PageDirection | null): string {
  return direction === null ? '' : STUDENT_WORDS[direction];
}

const STUDENT_WORDS: Readonly<Record<PageDirection, string>> = {
  centered: 'Looking at the screen',
  looking_left: 'Looking to your right',
  looking_right: 'Looking to your left',
  looking_up: 'Looking up',
  looking_down: 'Looking down',
  face_turned: 'Head turned away',
  eyes_closed: 'Eyes closed',
  no_face: '',
  distracted: 'Gaze wandering',
};

/** Direction as a row of a report. Sides are the student's own, as above. */
export const REPORT_DIRECTIONS: Readonly<Record<string, string>> = {
  centered: 'At the screen',
  looking_left: 'To the right',
  looking_right: 'To the left',
  looking_up: 'Up',
  looking_down: 'Down',
  face_turned: 'Head turned away',
  eyes_closed: 'Eyes closed',
  no_face: 'No face in the picture',
  distracted: 'Wandering',
  unknown: 'Could not be told',
};
