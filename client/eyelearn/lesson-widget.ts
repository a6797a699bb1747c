import type { Notice } from '../session/device-mode.ts';
import type { WebcamWebSocket } from '../widget/drop-in.ts';
import { outageWords } from '../widget/outage-words.ts';
import { widgetTime } from '../widget/widget.ts';
import { coversControl } from './free-place.ts';
import type { LessonStatus } from './lesson-tracker.ts';
import { otherCameras, stopCameras, watchOtherCameras } from './other-cameras.ts';

const PLACE_KEY = 'gaze-relay:widget';
const STEP_PX = 24;
const MARGIN_PX = 12;
const RIVALS_EVERY_TICKS = 8;
const PLACE_EVERY_TICKS = 4;
/** Room at the end of the page, so that its last line can be scrolled out from under the pill, px. */
const RESERVED_PX = 44 + 2 * MARGIN_PX;
/** A narrower window has no margin beside its text: there it begins as a dot. */
const NARROW_PX = 600;

const STYLE = `
:host{position:fixed;z-index:2147483000;right:${MARGIN_PX}px;bottom:${MARGIN_PX}px;font:400 14px/1.4 system-ui,sans-serif;color:#0f172a;--back:#fff;--line:#cbd5e1;--soft:#475569;--strong:#1d4ed8;--on:#fff}
@media(prefers-color-scheme:dark){:host{color:#f1f5f9;--back:#0f172a;--line:#475569;--soft:#cbd5e1;--strong:#93c5fd;--on:#0f172a}}
@media print{:host{display:none}}
*{box-sizing:border-box}
section{background:var(--back);border:1px solid var(--line);border-radius:22px;box-shadow:0 2px 8px #0003;max-width:min(280px,calc(100vw - ${2 * MARGIN_PX}px))}
section.open{border-radius:12px}
header{display:flex;align-items:center}
button{font:inherit;color:inherit;background:none;border:0;min-width:44px;min-height:44px;border-radius:22px;cursor:pointer}
button:focus-visible{outline:3px solid var(--strong);outline-offset:-3px}
.toggle{display:flex;align-items:center;gap:8px;padding:0 14px;font-weight:600;text-align:left;flex:1}
.dot{width:14px;height:14px;border-radius:50%;flex:none;background:#64748b;border:2px solid var(--back);outline:2px solid currentColor}
.focused .dot{background:#16a34a}.unfocused .dot{background:#ca8a04}.trouble .dot{background:#dc2626}
.small .word,.spoken{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.move{cursor:move;touch-action:none}
.body{padding:0 14px 14px}
p,dl{margin:0 0 10px}
dl{display:grid;grid-template-columns:1fr auto;gap:2px 12px}dt{color:var(--soft)}dd{margin:0;font-variant-numeric:tabular-nums}
.act{display:block;width:100%;background:var(--strong);color:var(--on);font-weight:600;border-radius:8px}
.note{color:var(--soft);font-size:12px;margin:10px 0 0}
[hidden]{display:none!important}`;

const WORDS = {
  focused: 'Focused',
  unfocused: 'Not focused',
  unknown: 'Cannot tell right now',
  untracked: 'Not tracking',
} as const;

export interface LessonWidgetOptions {
  /** True: begins as a dot, because the page shows the figures itself. */
  readonly small: boolean;
  readonly onStop: () => void;
  readonly onStart: () => void;
  /** What tracks now; null while nothing is tracked. */
  readonly client: () => WebcamWebSocket | null;
}

interface StoredPlace {
  /** Distance of the right and lower edge from the window's, px; where the student has moved it. */
  readonly rightPx?: number;
  readonly bottomPx?: number;
  readonly size?: 'dot' | 'pill';
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}

function storedPlace(): StoredPlace {
  try {
    return JSON.parse(localStorage.getItem(PLACE_KEY) ?? '{}') as StoredPlace;
  } catch {
    return {};
  }
}

/**
 * The sign that a lesson is tracked: a pill with the state, a dot, or a card with figures and the way to stop. It lives
 * in a shadow tree of its own, so that neither ids nor styles meet the page's; it can be moved by pointer and arrow keys.
 */
export class LessonWidget {
  readonly #host = document.createElement('gaze-relay-widget');
  readonly #section = element('section', '');
  readonly #word = element('span', 'word');
  readonly #text = element('p', '');
  readonly #figures = element('dl', '');
  readonly #action = element('button', 'act');
  readonly #rivalText = element('p', '', 'Another program on this page uses the camera, too.');
  readonly #rivalAction = element('button', 'act', 'Use this one alone');
  readonly #window = element('a', 'act', 'Open in a window of its own');
  readonly #notice = element('p', '');
  readonly #announcement = element('span', 'spoken');
  readonly #toggle = element('button', 'toggle', element('span', 'dot'), this.#word);
  readonly #move = element('button', 'move', '⠿');
  readonly #shrink = element('button', '', '–');
  readonly #body = element('div', 'body');
  readonly #options: LessonWidgetOptions;
  #size: 'dot' | 'pill';
  #isOpen = false;
  #isShown = false;
  /** The student has put it somewhere: it stays there. */
  #isPlaced = false;
  #ticks = 0;
  #act: () => void = () => {};
  #announced = '';

  constructor(options: LessonWidgetOptions) {
    this.#options = options;
    const place = storedPlace();
    this.#size = place.size ?? (options.small || innerWidth < NARROW_PX ? 'dot' : 'pill');
    this.#section.setAttribute('aria-label', 'Focus tracking');
    this.#announcement.setAttribute('role', 'status');
    this.#window.target = '_blank';
    this.#move.setAttribute('aria-label', 'Move: drag, or use the arrow keys');
    this.#shrink.setAttribute('aria-label', 'Close to a dot');
    const note = element('p', 'note', 'The camera is on. Pictures are used for a moment and never stored.');
    this.#notice.hidden = true;
    this.#body.append(
      this.#notice,
      this.#text,
      this.#figures,
      this.#rivalText,
      this.#rivalAction,
      this.#window,
      this.#action,
      note,
    );
    this.#section.append(element('header', '', this.#toggle, this.#move, this.#shrink), this.#body, this.#announcement);
    const root = this.#host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.append(this.#section);

    this.#toggle.addEventListener('click', () => this.#open(!this.#isOpen));
    this.#shrink.addEventListener('click', () => {
      this.#size = 'dot';
      this.#open(false);
      this.#remember();
      this.#toggle.focus();
    });
    this.#action.addEventListener('click', () => this.#act());
    this.#rivalAction.addEventListener('click', () => {
      stopCameras(this.#rivals);
      this.#showRivals();
    });
    this.#host.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#open(false));
    this.#makeMovable();
    if (place.rightPx !== undefined && place.bottomPx !== undefined) {
      this.#isPlaced = true;
      this.#place(place.rightPx, place.bottomPx);
    }
    watchOtherCameras();
    this.#showRivals();
    this.#open(false);
  }

  /** To be called a few times a second: comes back where the page has replaced its content, and looks for other cameras. */
  tick(): void {
    if (!this.#isShown) return;
    this.#attach();
    this.#ticks += 1;
    if (this.#ticks % PLACE_EVERY_TICKS === 0) this.#keepClear();
    if (this.#ticks % RIVALS_EVERY_TICKS === 0) this.#showRivals();
  }

  #attach(): void {
    if (this.#host.isConnected) return;
    document.documentElement.append(this.#host);
    document.documentElement.style.paddingBottom = `${RESERVED_PX}px`;
    this.#keepInside();
  }

  show(status: LessonStatus): void {
    this.#isShown = status.kind !== 'idle';
    if (status.kind === 'idle') {
      this.#host.remove();
      document.documentElement.style.paddingBottom = '';
      return;
    }
    this.#attach();
    const { state, word, text } = this.#describe(status);
    this.#section.classList.remove('focused', 'unfocused', 'trouble', 'stopped');
    this.#section.classList.add(state);
    this.#word.textContent = word;
    this.#toggle.setAttribute('aria-label', `Focus tracking: ${word}`);
    this.#text.textContent = text;
    this.#text.hidden = this.#text.textContent === '';
    this.#showFigures(status);
    this.#window.hidden = !(status.kind === 'trouble' && status.code === 'embedded');
    this.#window.href = location.href;
    const isOff = status.kind === 'trouble' || status.kind === 'stopped';
    this.#action.textContent = isOff
      ? status.kind === 'stopped'
        ? 'Start again'
        : 'Try again'
      : 'Stop for this lesson';
    this.#act = isOff ? this.#options.onStart : this.#options.onStop;
    (this.#body.lastElementChild as HTMLElement).hidden = isOff;
    // What a screen reader says: that it began, stopped or failed, not each change of the state.
    const isOnline = status.kind === 'tracking' && status.isConnected;
    const announcement = isOnline ? 'Focus tracking is on' : `${word}. ${this.#text.textContent}`;
    if (announcement !== this.#announced) this.#announcement.textContent = announcement;
    this.#announced = announcement;
    if (status.kind === 'trouble') this.#open(true);
  }

  /** The class of the sign, its word, and a sentence where the word does not say all. */
  #describe(status: Exclude<LessonStatus, { kind: 'idle' }>): Record<'state' | 'word' | 'text', string> {
    switch (status.kind) {
      case 'starting':
        return { state: status.kind, word: 'Starting', text: '' };
      case 'stopped':
        return {
          state: status.kind,
          word: 'Stopped',
          text: 'Tracking is stopped for this lesson and the camera is off.',
        };
      case 'trouble':
        return { state: status.kind, word: 'Not tracking', text: status.message };
      case 'tracking': {
        if (!status.isConnected) {
          // The last update is of before: what is tracked now is not known here.
          const { title, meaning } = outageWords(this.#options.client()?.modeReport?.mode ?? null);
          return { state: 'offline', word: title, text: meaning };
        }
        const state = status.update?.metrics.current_state;
        return state === undefined
          ? { state: 'untracked', word: 'Starting', text: '' }
          : { state, word: WORDS[state], text: '' };
      }
    }
  }

  /** Shows a message that asks nothing of the student: it stays until the next one. */
  note({ code, message }: Notice): void {
    // Without a connection the sign says so already.
    if (code === 'lesson_kept') return;
    this.#notice.textContent = message;
    this.#notice.hidden = false;
    this.#announcement.textContent = message;
    this.#announced = message;
  }

  /** Says that another program holds a camera, and offers to take its place. */
  #showRivals(): void {
    const present = this.#rivals.length > 0;
    const isNew = present && this.#rivalText.hidden;
    this.#rivalText.hidden = !present;
    this.#rivalAction.hidden = !present;
    if (isNew) this.#open(true);
  }

  /** Streams of other programs on this page, while this one has a camera. */
  get #rivals(): MediaStream[] {
    const own = this.#options.client()?.stream ?? null;
    return own === null ? [] : otherCameras(own);
  }

  #showFigures(status: LessonStatus): void {
    const metrics = status.kind === 'tracking' ? status.update?.metrics : undefined;
    this.#figures.hidden = metrics === undefined;
    if (metrics === undefined) return;
    const rows = [
      ['Focused', widgetTime(metrics.focused_time)],
      ['Not focused', widgetTime(metrics.unfocused_time)],
      ['Focus', `${Math.round(metrics.focus_percentage)} %`],
    ];
    this.#figures.replaceChildren(
      ...rows.flatMap(([name = '', value = '']) => [element('dt', '', name), element('dd', '', value)]),
    );
  }

  #open(open: boolean): void {
    this.#isOpen = open;
    if (open) this.#size = 'pill';
    this.#section.classList.toggle('open', open);
    this.#section.classList.toggle('small', this.#size === 'dot');
    this.#body.hidden = !open;
    this.#shrink.hidden = this.#size === 'dot';
    this.#move.hidden = this.#size === 'dot';
    this.#toggle.setAttribute('aria-expanded', String(open));
    this.#keepInside();
  }

  #makeMovable(): void {
    this.#move.addEventListener('pointerdown', (down) => {
      const { right, bottom } = this.#host.getBoundingClientRect();
      const offsetX = right - down.clientX;
      const offsetY = bottom - down.clientY;
      this.#move.setPointerCapture(down.pointerId);
      this.#isPlaced = true;
      const follow = ({ clientX, clientY }: PointerEvent) =>
        this.#place(innerWidth - clientX - offsetX, innerHeight - clientY - offsetY);
      this.#move.addEventListener('pointermove', follow);
      this.#move.addEventListener(
        'lostpointercapture',
        () => {
          this.#move.removeEventListener('pointermove', follow);
          this.#remember();
        },
        { once: true },
      );
    });
    this.#move.addEventListener('keydown', (event) => {
      const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [
        0, 0,
      ];
      if (x === 0 && y === 0) return;
      event.preventDefault();
      this.#isPlaced = true;
      const { right, bottom } = this.#host.getBoundingClientRect();
      this.#place(innerWidth - right + (x ?? 0) * STEP_PX, innerHeight - bottom + (y ?? 0) * STEP_PX);
      this.#remember();
    });
    addEventListener('resize', () => this.#keepInside());
  }

  #keepInside(): void {
    if (!this.#host.isConnected) return;
    if (!this.#isPlaced) {
      this.#keepClear();
      return;
    }
    const { right, bottom } = this.#host.getBoundingClientRect();
    this.#place(innerWidth - right, innerHeight - bottom);
  }

  /** Until the student moves it: at the lower right, or as far above as controls of the page reach that stay under it. */
  #keepClear(): void {
    if (this.#isPlaced || !this.#host.isConnected) return;
    const { width, height } = this.#host.getBoundingClientRect();
    const left = document.documentElement.clientWidth - MARGIN_PX - width;
    for (let bottomPx = MARGIN_PX; bottomPx + height + MARGIN_PX <= innerHeight; bottomPx += STEP_PX) {
      if (coversControl(this.#host, { left, top: innerHeight - bottomPx - height, width, height })) continue;
      this.#place(MARGIN_PX, bottomPx);
      return;
    }
  }

  #place(rightPx: number, bottomPx: number): void {
    const { width, height } = this.#host.getBoundingClientRect();
    const inside = (value: number, size: number, room: number) =>
      Math.max(MARGIN_PX, Math.min(value, room - size - MARGIN_PX));
    this.#host.style.right = `${inside(rightPx, width, innerWidth)}px`;
    this.#host.style.bottom = `${inside(bottomPx, height, innerHeight)}px`;
  }

  #remember(): void {
    const { right, bottom } = this.#host.getBoundingClientRect();
    const moved = this.#isPlaced ? { rightPx: innerWidth - right, bottomPx: innerHeight - bottom } : {};
    const place: StoredPlace = { ...moved, size: this.#size };
    try {
      localStorage.setItem(PLACE_KEY, JSON.stringify(place));
    } catch {
      // Storage that the browser refuses: it begins at its usual place next time.
    }
  }
}
