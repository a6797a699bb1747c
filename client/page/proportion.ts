import { FOCUS_STATES, type FocusState } from '../../shared/direction.ts';
import { percent, share } from './format.ts';

/** Whole milliseconds by kind of time. */
export type Times = Readonly<Record<FocusState, number>>;

/** Tracked time: what was analysed, whether focus could be determined or not. */
export function trackedMs(times: Times): number {
  return times.focused + times.unfocused + times.unknown;
}

/** Sets a proportion bar's segments and its description. */
export function showProportion(bar: HTMLElement, times: Times): void {
  const whole = trackedMs(times) + times.untracked;
  for (const state of FOCUS_STATES) {
    const segment = bar.querySelector<HTMLElement>(`.${state}`);
    if (segment !== null) segment.style.width = `${(share(times[state], whole) ?? 0) * 100}%`;
  }
  const part = (state: FocusState) => percent(share(times[state], whole));
  bar.setAttribute(
    'aria-label',
    whole === 0
      ? 'No time counted yet'
      : `${part('focused')} focused, ${part('unfocused')} not focused, ${part('unknown')} unknown, ${part('untracked')} not tracked`,
  );
}
