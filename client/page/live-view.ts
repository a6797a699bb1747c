import type { TrackingUpdate } from '../widget/payload.ts';
import type { Announcer } from './announcer.ts';
import { byId, setText } from './dom.ts';
import { clockTime, percent, share } from './format.ts';
import { type Moment, StateHistory } from './history.ts';
import { directionForStudent, explain, shownState } from './labels.ts';
import { showProportion, type Times, trackedMs } from './proportion.ts';
import { describeStrip, drawStrip } from './strip-chart.ts';

const STRIP_MS = 120_000;
/** An update older than this says nothing about now. */
const STALE_MS = 2500;

/** Times of an update, ms. */
export function timesOf({ metrics }: TrackingUpdate): Times {
  return {
    focused: metrics.focused_time * 1000,
    unfocused: metrics.unfocused_time * 1000,
    unknown: metrics.unknown_time * 1000,
    untracked: metrics.untracked_time * 1000,
  };
}

/** The part of the page that shows a running session. */
export class LiveView {
  readonly #stage = byId('stage', HTMLElement);
  readonly #state = byId('state', HTMLElement);
  readonly #direction = byId('direction', HTMLElement);
  readonly #meaning = byId('meaning', HTMLElement);
  readonly #strip = byId('strip', HTMLCanvasElement);
  readonly #announcer: Announcer;
  #history = new StateHistory(STRIP_MS);
  #moment: Moment = null;
  #updatedAtMs = Number.NEGATIVE_INFINITY;
  #described = '';

  constructor(announcer: Announcer) {
    this.#announcer = announcer;
  }

  /** Clears the previous session. */
  reset(): void {
    this.#history = new StateHistory(STRIP_MS);
    this.#moment = null;
    this.#updatedAtMs = Number.NEGATIVE_INFINITY;
    this.showTimes({ focused: 0, unfocused: 0, unknown: 0, untracked: 0 });
    this.showWaiting('Getting ready', 'Waiting for the first answer from the server.');
  }

  showUpdate(update: TrackingUpdate, nowMs: number): void {
    const { current_state } = update.metrics;
    const isKnown = current_state === 'focused' || current_state === 'unfocused';
    const gaze = isKnown ? (update.gaze_direction ?? null) : null;
    const shown = shownState(current_state, gaze);
    const { title, meaning } = explain(shown, update.metrics.unknown_reason);
    const direction = directionForStudent(gaze);
    this.#stage.dataset.state = shown;
    setText(this.#state, title);
    setText(this.#direction, direction);
    setText(this.#meaning, meaning);
    this.#announcer.settle(direction === '' ? title : `${title}. ${direction}.`);
    this.#moment = current_state;
    this.#updatedAtMs = nowMs;
    this.showTimes(timesOf(update));
  }

  showTimes(times: Times): void {
    showProportion(byId('proportion', HTMLElement), times);
    setText(byId('share', HTMLElement), percent(share(times.focused, trackedMs(times))));
    setText(byId('time-focused', HTMLElement), clockTime(times.focused));
    setText(byId('time-unfocused', HTMLElement), clockTime(times.unfocused));
    setText(byId('time-unknown', HTMLElement), clockTime(times.unknown));
    setText(byId('time-untracked', HTMLElement), clockTime(times.untracked));
  }

  /** No reading at the moment, and why. */
  showWaiting(title: string, meaning: string, state: 'waiting' | 'paused' = 'waiting'): void {
    this.#stage.dataset.state = state;
    setText(this.#state, title);
    setText(this.#direction, '');
    setText(this.#meaning, meaning);
    this.#announcer.say(`${title}. ${meaning}`);
    this.#moment = null;
  }

  /** Called a few times a second: updates what depends on time. */
  tick(nowMs: number): void {
    const stale = nowMs - this.#updatedAtMs > STALE_MS;
    this.#history.note(nowMs, this.#moment !== null && stale ? 'untracked' : this.#moment);
    drawStrip(this.#strip, this.#history, nowMs, STRIP_MS);
    this.#describe(nowMs);
  }

  #describe(nowMs: number): void {
    const text = describeStrip(this.#history, nowMs);
    if (text === this.#described) return;
    this.#described = text;
    this.#strip.setAttribute('aria-label', text);
  }
}
