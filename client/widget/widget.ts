import type { TrackingUpdate } from './payload.ts';

/** Colours of the progress bar: from 70 %, from 40 %, below. */
const BAR_COLOURS = [
  { fromPercent: 70, colour: '#16a34a' },
  { fromPercent: 40, colour: '#ca8a04' },
  { fromPercent: 0, colour: '#dc2626' },
] as const;

/** Seconds as `42s` or `3m 5s`. */
export function widgetTime(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m ${whole % 60}s`;
}

const STATUS: Readonly<Record<TrackingUpdate['metrics']['current_state'], string>> = {
  focused: 'Currently focused',
  unfocused: 'Currently not focused',
  unknown: 'Cannot be determined right now',
  untracked: 'Not tracking',
};

function write(id: string, text: string): void {
  const element = document.getElementById(id);
  if (element !== null && element.textContent !== text) element.textContent = text;
}

/** Shows an update in the page's widget, in those of its parts that exist. */
export function feedWidget({ metrics }: TrackingUpdate): void {
  const widget = document.getElementById('eye-tracking-widget');
  if (widget?.style.display === 'none') widget.style.display = 'block';
  write('focused-time', widgetTime(metrics.focused_time));
  write('unfocused-time', widgetTime(metrics.unfocused_time));
  write('session-time', widgetTime(metrics.total_time));
  const percent = Math.round(metrics.focus_percentage);
  write('focus-percentage', `${percent}%`);
  write('current-focus-status', STATUS[metrics.current_state]);
  const bar = document.getElementById('focus-progress-bar');
  if (bar === null) return;
  bar.style.width = `${percent}%`;
  bar.style.backgroundColor = BAR_COLOURS.find(({ fromPercent }) => percent >= fromPercent)?.colour ?? '';
}

/** Shows in the page's widget whether tracking is connected. */
export function feedWidgetConnection(connected: boolean): void {
  write('tracking-status-indicator', connected ? 'Active' : 'Disconnected');
}
