import type { Mode } from '../../shared/direction.ts';

/** What a student reads while there is no connection: in device mode the lesson is tracked all the same. */
export function outageWords(mode: Mode | null): { readonly title: string; readonly meaning: string } {
  return mode === 'device'
    ? {
        title: 'Tracked on this device',
        meaning: 'There is no connection. Your time is kept here and delivered later.',
      }
    : { title: 'Reconnecting', meaning: 'Your time so far is saved. Tracking resumes by itself.' };
}
