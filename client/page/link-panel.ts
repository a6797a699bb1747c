import type { ConnectionStats } from '../connection/connection-options.ts';
import type { ConnectionPhase } from '../connection/link-state.ts';
import type { ModeReport } from '../session/mode-controller.ts';
import type { Announcer } from './announcer.ts';
import { type ConnectionView, connectionWords } from './connection-words.ts';
import { byId, setText } from './dom.ts';
import { dataAmount } from './format.ts';
import { keepLessData } from './less-data.ts';
import { RateMeter } from './rate-meter.ts';

const RATE_WINDOW_MS = 5000;
/** A link must have been slow, or well, for this long to be called so: one late picture is no news. */
const SETTLED_MS = 3000;

/** What the panel needs of the tracker. */
export interface LinkSource {
  readonly isCapturing: boolean;
  readonly slowLink: boolean;
  readonly lessData: boolean;
  readonly modeReport: ModeReport | null;
  stats(): ConnectionStats | null;
  setLessData(lessData: boolean): void;
}

/** The part of the page about the connection: how it is, where pictures are looked at, what it costs. */
export class LinkPanel {
  readonly #source: () => LinkSource;
  readonly #announcer: Announcer;
  readonly #note = byId('top-note', HTMLElement);
  readonly #lessData = byId('less-data', HTMLInputElement);
  #up = new RateMeter(RATE_WINDOW_MS);
  #down = new RateMeter(RATE_WINDOW_MS);
  #phase: ConnectionPhase = 'idle';
  #slow = false;
  #otherwiseSinceMs: number | null = null;

  /** `source` is asked for when it is needed: it is made after the panel. */
  constructor(source: () => LinkSource, announcer: Announcer) {
    this.#source = source;
    this.#announcer = announcer;
    this.#lessData.addEventListener('change', () => {
      const { checked } = this.#lessData;
      keepLessData(checked);
      source().setLessData(checked);
      this.#show();
    });
  }

  /** Forgets the session before. */
  reset(): void {
    this.#up = new RateMeter(RATE_WINDOW_MS);
    this.#down = new RateMeter(RATE_WINDOW_MS);
    this.#slow = false;
    this.#otherwiseSinceMs = null;
    this.#lessData.checked = this.#source().lessData;
  }

  showPhase(phase: ConnectionPhase): void {
    this.#phase = phase;
    this.#show();
    if (phase === 'reconnecting') this.#announcer.say(this.#words().words);
  }

  /** Called a few times a second: what changes with time alone. */
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
      this.#otherwiseSinceMs = null;
      return;
    }
    this.#otherwiseSinceMs ??= nowMs;
    if (nowMs - this.#otherwiseSinceMs < SETTLED_MS) return;
    this.#slow = !this.#slow;
    this.#otherwiseSinceMs = null;
    if (this.#slow) this.#announcer.say(this.#words().words);
  }

  #words(): ReturnType<typeof connectionWords> {
    const { isCapturing, lessData, modeReport } = this.#source();
    const view: ConnectionView = {
      phase: this.#phase,
      capturing: isCapturing,
      slow: this.#slow,
      lessData,
      kept: this.#source().stats()?.kept ?? 0,
      mode: modeReport?.mode ?? null,
    };
    return connectionWords(view);
  }

  #show(): void {
    const { words, short, tone } = this.#words();
    const { modeReport } = this.#source();
    this.#note.dataset.tone = tone;
    this.#note.hidden = this.#phase === 'idle';
    setText(byId('top-note-text', HTMLElement), short);
    setText(byId('connection', HTMLElement), words);
    setText(byId('mode-line', HTMLElement), modeReport === null ? '' : modeLine(modeReport));
  }
}

function modeLine({ message, loaded }: ModeReport): string {
  return loaded === null ? message : `${message} ${Math.round(loaded * 100)} % loaded.`;
}

function rate(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? '–' : `${(bytesPerSecond / 1000).toFixed(1)} kB/s`;
}
