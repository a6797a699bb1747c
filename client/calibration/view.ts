import { resultLabels } from './labels.ts';
import overlayStyle from './overlay.css?inline';
import { PLACES, POINT_TIMING, type Step, TURN_TIMING } from './sequence.ts';

/** Actions of the student in the overlay. */
export interface ViewActions {
  begin(): void;
  /** Continues without the head-turn step. */
  leaveOut(): void;
  /** Closes it: skipped, or done. */
  leave(): void;
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: Node[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * The overlay itself: a modal dialog over the whole window, in a shadow root. Its style is a constructed sheet, which a page's content
 * security policy does not refuse.
 */
export class CalibrationView {
  readonly #host = document.createElement('div');
  readonly #title = element('h2', { id: 'title', tabIndex: -1 });
  readonly #text = element('p', { className: 'text', id: 'text' });
  readonly #first = element('button', { type: 'button', className: 'primary' });
  readonly #second = element('button', { type: 'button' });
  readonly #card = element(
    'div',
    { className: 'card' },
    this.#title,
    this.#text,
    element('div', { className: 'buttons' }, this.#first, this.#second),
  );
  readonly #dot = element('div', { className: 'dot', hidden: true });
  readonly #count = element('span', {});
  readonly #leaveOut = element('button', { type: 'button', textContent: 'Leave this out', hidden: true });
  readonly #skip = element('button', { type: 'button', textContent: 'Skip' });
  readonly #keys = element('span', { className: 'keys', textContent: 'or press Esc' });
  readonly #foot = element(
    'div',
    { className: 'foot', hidden: true },
    this.#count,
    this.#leaveOut,
    this.#skip,
    this.#keys,
  );
  readonly #hint = element('p', { className: 'hint', textContent: TURN_TEXT, hidden: true });
  readonly #waiting = element('p', { className: 'waiting', textContent: 'One moment…', hidden: true });
  readonly #dialog: HTMLDialogElement;
  #shown = '';

  constructor(actions: ViewActions) {
    this.#dialog = element('dialog', {}, this.#card, this.#dot, this.#hint, this.#waiting, this.#foot);
    this.#dialog.setAttribute('aria-labelledby', 'title');
    this.#dialog.setAttribute('aria-describedby', 'text');
    this.#count.setAttribute('role', 'status');
    this.#waiting.setAttribute('role', 'status');
    this.#hint.setAttribute('role', 'status');
    this.#dot.setAttribute('aria-hidden', 'true');
    const root = this.#host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(overlayStyle);
    root.adoptedStyleSheets = [sheet];
    root.append(this.#dialog);
    this.#first.addEventListener('click', () =>
      this.#first.dataset.does === 'leave' ? actions.leave() : actions.begin(),
    );
    this.#second.addEventListener('click', () => actions.leave());
    this.#skip.addEventListener('click', () => actions.leave());
    this.#leaveOut.addEventListener('click', () => actions.leaveOut());
    // Escape cancels a dialog; the sequence closes it.
    this.#dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      actions.leave();
    });
  }

  open(): void {
    this.#host.dataset.gazeRelay = 'calibration';
    document.body.append(this.#host);
    this.#dialog.showModal();
  }

  close(): void {
    if (this.#dialog.open) this.#dialog.close();
    this.#host.remove();
  }

  /** Size of the room for points, CSS pixels. */
  get size(): { readonly widthPx: number; readonly heightPx: number } {
    return { widthPx: this.#dialog.clientWidth, heightPx: this.#dialog.clientHeight };
  }

  /** Shows a step; `points` are the places in the window, CSS pixels. */
  show(step: Step, points: readonly { readonly xPx: number; readonly yPx: number }[]): void {
    const isWatching = step.name === 'point' || step.name === 'turn';
    const place = step.name === 'point' ? step.place : 0;
    const key = isWatching ? `${step.name} ${place} ${step.watchedFromMs !== null}` : step.name;
    if (key === this.#shown) return;
    this.#shown = key;
    this.#card.hidden = step.name !== 'intro' && step.name !== 'result';
    this.#dot.hidden = this.#foot.hidden = !isWatching;
    this.#hint.hidden = this.#leaveOut.hidden = step.name !== 'turn';
    // The dots are measured then: what is left out is the turn alone.
    this.#skip.hidden = this.#keys.hidden = step.name === 'turn';
    this.#waiting.hidden = step.name !== 'waiting';
    switch (step.name) {
      case 'intro':
        this.#showCard('Set up your screen', INTRO_TEXT, 'Start', 'begin', 'Skip');
        return;
      case 'point':
        this.#count.textContent = `Dot ${step.passLength - step.rest.length} of ${step.passLength}`;
        this.#showDot(points[place], step.watchedFromMs !== null, POINT_TIMING.watchMs);
        return;
      case 'turn':
        this.#count.textContent = 'Last step';
        this.#showDot(points[place], step.watchedFromMs !== null, TURN_TIMING.watchMs);
        return;
      case 'result': {
        const { title, text, repeat } = resultLabels(step.answer);
        const isUsed = step.answer?.type === 'calibrated' && step.answer.applied;
        if (repeat === null) this.#showCard(title, text, 'Done', 'leave', null);
        else this.#showCard(title, text, repeat, 'begin', isUsed ? 'Use it' : 'Skip');
        return;
      }
    }
  }

  #showCard(title: string, text: string, first: string, does: 'begin' | 'leave', second: string | null): void {
    this.#title.textContent = title;
    this.#text.textContent = text;
    this.#first.textContent = first;
    this.#first.dataset.does = does;
    this.#second.hidden = second === null;
    this.#second.textContent = second ?? '';
    this.#first.focus();
  }

  #showDot(at: { readonly xPx: number; readonly yPx: number } | undefined, watched: boolean, watchMs: number): void {
    this.#dot.style.left = `${at?.xPx ?? 0}px`;
    this.#dot.style.top = `${at?.yPx ?? 0}px`;
    // Large at once, then shrinking while it is watched.
    this.#dot.style.setProperty('--watch', watched ? `${watchMs}ms` : '0s');
    this.#dot.classList.toggle('watched', watched);
  }
}

const INTRO_TEXT = `Look at each of ${PLACES.length} dots until it disappears, with your head in its usual position. It takes about 20 seconds; only measurements of your eyes are used.`;
const TURN_TEXT = 'Keep looking at the dot and slowly turn your head to the left and to the right.';
