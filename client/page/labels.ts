import type { FocusState, UnknownReason } from '../../shared/direction.ts';
import type { PageDirection } from '../widget/payload.ts';

/** States on the page: the four kinds of time, and a missing face. */
export type ShownState = FocusState | 'no_face';

export interface Explanation {
  readonly title: string;
  /** What it means, and what the student can do about it. */
  readonly meaning: string;
}

const EXPLANATIONS: Readonly<Record<ShownState, Explanation>> = {
  focused: {
    title: 'Focused',
    meaning: 'You are facing and looking at the screen. This time counts as focused.',
  },
  unfocused: {
    title: 'Not focused',
    meaning: 'Your gaze is away from the screen. Look back at the lesson when you are ready.',
  },
  no_face: {
    title: 'No face',
    meaning: 'No face is visible. Sit in front of the camera, with light on your face.',
  },
  unknown: {
    title: 'Unknown',
    meaning:
      'Your focus cannot be determined: it is too dark, you are too far away, or the camera is covered or frozen. This does not count against you.',
  },
  untracked: {
    title: 'Not tracked',
    meaning: 'No pictures reach the server right now. This time counts as neither focused nor unfocused.',
  },
};

/** State to show: a missing face has its own, whatever kind of time it counts as. */
export function shownState(state: FocusState, direction: PageDirection | null): ShownState {
  return direction === 'no_face' && state !== 'focused' && state !== 'untracked' ? 'no_face' : state;
}

/** What to do, by why nothing can be told. */
const UNKNOWN_MEANINGS: Readonly<Record<UnknownReason, string>> = {
  camera_covered: 'The camera is covered or out of focus. Uncover or clean it. This does not count against you.',
  too_dark: 'The picture is too dark. Turn on a light in front of you. This does not count against you.',
  overexposed: 'The picture is too bright. Turn away from the window or lamp. This does not count against you.',
  eyes_hidden: 'Your eyes cannot be seen behind glasses or reflections. This does not count against you.',
};

/** The state in words; `reason`: why it is unknown, where that is known. */
export function explain(state: ShownState, reason?: UnknownReason): Explanation {
  const explanation = EXPLANATIONS[state];
  return state !== 'unknown' || reason === undefined
    ? explanation
    : { ...explanation, meaning: UNKNOWN_MEANINGS[reason] };
}

/** Direction from the student's point of view: on the wire, sides are the unmirrored picture's, where right is left. */
export function directionForStudent(direction: PageDirection | null): string {
  return direction === null ? '' : STUDENT_DIRECTIONS[direction];
}

const STUDENT_DIRECTIONS: Readonly<Record<PageDirection, string>> = {
  centered: 'Looking at the screen',
  looking_left: 'Looking to your right',
  looking_right: 'Looking to your left',
  looking_up: 'Looking up',
  looking_down: 'Looking down',
  face_turned: 'Head turned away',
  eyes_closed: 'Eyes closed',
  no_face: '',
  distracted: 'Looking around',
};

/** Direction as a row of a report. Sides are the student's, as above. */
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
  unknown: 'Could not be determined',
};
