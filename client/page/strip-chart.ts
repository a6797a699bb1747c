import type { FocusState } from '../../shared/direction.ts';
import { percent, share } from './format.ts';
import type { StateHistory } from './history.ts';

/** Height of a state's bar: states differ by more than their colour. */
const HEIGHTS: Readonly<Record<FocusState, number>> = { focused: 0.86, unfocused: 0.52, unknown: 0.26, untracked: 0.1 };

/** Draws the history on a canvas, now at the right edge. Colours come from the page's style. */
export function drawStrip(canvas: HTMLCanvasElement, history: StateHistory, nowMs: number, spanMs: number): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const { clientWidth, clientHeight } = canvas;
  const scale = window.devicePixelRatio;
  const width = Math.round(clientWidth * scale);
  const height = Math.round(clientHeight * scale);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const style = getComputedStyle(canvas);
  context.clearRect(0, 0, width, height);
  context.fillStyle = style.getPropertyValue('--line');
  for (const part of [0.25, 0.5, 0.75]) context.fillRect(Math.round(width * part), 0, Math.max(1, scale), height);
  const xOf = (atMs: number) => Math.round(width * (1 - (nowMs - atMs) / spanMs));
  for (const { state, fromMs, toMs } of history.within(nowMs)) {
    if (state === null) continue;
    const left = xOf(fromMs);
    const top = Math.round(height * (1 - HEIGHTS[state]));
    context.fillStyle = style.getPropertyValue(`--${state}`);
    context.fillRect(left, top, Math.max(1, xOf(toMs) - left), height - top);
  }
}

/** The strip as text, for screen readers. */
export function describeStrip(history: StateHistory, nowMs: number): string {
  const sums = history.sums(nowMs);
  const whole = sums.focused + sums.unfocused + sums.unknown + sums.untracked;
  if (whole === 0) return 'Nothing recorded yet';
  const part = (ms: number) => percent(share(ms, whole));
  return `Last two minutes: ${part(sums.focused)} focused, ${part(sums.unfocused)} not focused, ${part(sums.unknown)} unknown, ${part(sums.untracked)} not tracked`;
}
