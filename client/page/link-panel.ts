import type { ConnectionStats } from '../connection/connection-options.ts';
import type { ConnectionPhase } from '../connection/link-state.ts';
import type { ModeReport } from '../session/mode-controller.ts';
import type { Announcer } from './announcer.ts';
import { type ConnectionView, connectionLabels } from './connection-labels.ts';
import { byId, setText } from './dom.ts';
import { dataAmount } from './format.ts';
import { storeLessData } from './less-data.ts';
import { RateMeter } from './rate-meter.ts';

const RATE_WINDOW_MS = 5000;
/** A link must have been slow, or good, for this long before the page says so. */
const SETTLED_MS = 3000;

/** The part of the tracker that the panel needs. */
export interface LinkSource {
  readonly isCapturing: boolean;
  readonly slowLink: boolean;
  readonly lessData: boolean;
  readonly modeReport: ModeReport | null;
  stats(): ConnectionStats | null;
  setLessData(lessData: boolean): void;
}

/** The connection's part of the page: its state, where pictures are analysed, what it costs. */
export class LinkPanel {
  readonly #source: () => LinkSource;
  readonly #announcer: Announcer;
  readonly #note = byId('top-note', HTMLElement);
  readonly #lessData = byId('less-data', HTMLInputElement);
  #up = new RateMeter(RATE_WINDOW_MS);
  #down = new RateMeter(RATE_WINDOW_MS);
  #phase: ConnectionPhase = 'idle';
  #slow = false;
  #changedSinceMs: number | null = null;

  /** `source` is a function because the tracker is created after the panel. */
  constructor(source: () => LinkSource, announcer: Announcer) {
    this.#source = source;
    this.#announcer = announcer;
    this.#lessData.addEventListener('change', () => {
      const { checked } = this.#lessData;
      storeLessData(checked);
      source().setLessData(checked);
      this.#show();
    });
  }

  /** Clears the previous session. */
  reset(): void {
    this.#up = new RateMeter(RATE_WINDOW_MS);
    this.#down = new RateMeter(RATE_WINDOW_MS);
    this.#slow = false;
    this.#changedSinceMs = null;
    this.#lessData.checked = this.#source().lessData;
  }

  showPhase(phase: ConnectionPhase): void {
    this.#phase = phase;
    this.#show();
    if (phase === 'reconnecting') this.#announcer.say(this.#labels().text);
  }

  /** Called a few times a second: updates what depends on time. */
  tick(nowMs: number): void {
    this.#noteSlow(nowMs);
    this.#show();
    const stats = this.#source().stats();
    if (stats === null) return;
    this.#up.note(nowMs, stats.bytesUp);
    this.#down.note(nowMs, stats.bytesDown);
    setText(byId('rate-up', HTMLElement), rate(this.#up.perSecond));
    setText(byId('rate-down', HTMLElement), rate(this.#down.perSecond));
    setText(byId('latency', HTMLElement), stats.latencyMs === null ? '–' : `${Math.round(stats.latencyMs)} ms`);
    const { downloadedBytes = 0 } = this.#source().modeReport ?? {};
    setText(byId('data-used', HTMLElement), dataAmount(stats.bytesUp + stats.bytesDown + downloadedBytes));
  }

  #noteSlow(nowMs: number): void {
    if (this.#source().slowLink === this.#slow) {
      this.#changedSinceMs = null;
      return;
    }
    this.#changedSinceMs ??= nowMs;
    if (nowMs - this.#changedSinceMs < SETTLED_MS) return;
    this.#slow = !this.#slow;
    this.#changedSinceMs = null;
    if (this.#slow) this.#announcer.say(this.#labels().text);
  }

  #labels(): ReturnType<typeof connectionLabels> {
    const { isCapturing, lessData, modeReport } = this.#source();
    const view: ConnectionView = {
      phase: this.#phase,
      capturing: isCapturing,
      slow: this.#slow,
      lessData,
      kept: this.#source().stats()?.kept ?? 0,
      mode: modeReport?.mode ?? null,
    };
    return connectionLabels(view);
  }

  #show(): void {
    const { text, short, tone } = this.#labels();
    const { modeReport } = this.#source();
    this.#note.dataset.tone = tone;
    this.#note.hidden = this.#phase === 'idle';
    setText(byId('top-note-text', HTMLElement), short);
    setText(byId('connection', HTMLElement), text);
    setText(byId('mode-line', HTMLElement), modeReport === null ? '' : modeLine(modeReport));
  }
}

function modeLine({ message, loaded }: ModeReport): string {
  return loaded === null ? message : `${message} ${Math.round(loaded * 100)} % loaded.`;
}

function rate(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? '–' : `${(bytesPerSecond / 1000).toFixed(1)} kB/s`;
}
