import { answers } from '../../shared/report/answers.ts';
import { lastDays } from '../../shared/report/range.ts';
import { byId } from '../page/dom.ts';
import type { Filter } from './address.ts';
import type { Api } from './api.ts';
import { el } from './element.ts';

const PERIODS = [7, 28, 90] as const;

/** The choice of days and class above every page. */
export class Filters {
  /** The present day of the database's calendar. */
  readonly #today: () => string;
  readonly #bar = byId('filters', HTMLFormElement);
  readonly #period = byId('period', HTMLSelectElement);
  readonly #from = byId('from', HTMLInputElement);
  readonly #to = byId('to', HTMLInputElement);
  readonly #class = byId('class', HTMLSelectElement);
  #shown: Filter | null = null;

  constructor(today: () => string, choose: (filter: Filter) => void) {
    this.#today = today;
    const chosen = () => {
      if (this.#from.value === '' || this.#to.value === '') return;
      const [from, to] = [this.#from.value, this.#to.value].toSorted() as [string, string];
      choose({ from, to, className: this.#class.value === '' ? null : this.#class.value });
    };
    this.#period.addEventListener('change', () => {
      const days = Number(this.#period.value);
      if (days === 0) {
        this.#from.focus();
        return;
      }
      const { from, to } = lastDays(days, today());
      this.#from.value = from;
      this.#to.value = to;
      chosen();
    });
    for (const control of [this.#from, this.#to, this.#class]) control.addEventListener('change', chosen);
    this.#bar.addEventListener('submit', (event) => event.preventDefault());
  }

  /** Shows what is chosen; `withClass` false where a page is about one student or session. */
  show(filter: Filter, options: { readonly hidden: boolean; readonly withClass: boolean }): void {
    this.#shown = filter;
    this.#bar.hidden = options.hidden;
    this.#from.value = filter.from;
    this.#to.value = filter.to;
    byId('class-field', HTMLElement).hidden = !options.withClass || this.#class.options.length < 2;
    this.#selectClass();
    const days = PERIODS.find((period) => {
      const { from, to } = lastDays(period, this.#today());
      return from === filter.from && to === filter.to;
    });
    this.#period.value = String(days ?? 0);
    byId('print-range', HTMLElement).textContent =
      `${filter.from} to ${filter.to}${filter.className === null ? '' : `, ${filter.className}`}`;
  }

  /** Asks which classes there are, of the last year. */
  async loadClasses(api: Api): Promise<void> {
    const { from, to } = lastDays(366, this.#today());
    const { rows } = await api.get(answers.classes, '/api/v1/classes', { from, to });
    const names = rows.flatMap(({ className }) => (className === null ? [] : [className]));
    this.#class.replaceChildren(
      el('option', { value: '' }, 'All classes'),
      ...names.map((name) => el('option', { value: name }, name)),
    );
    this.#selectClass();
  }

  #selectClass(): void {
    const wanted = this.#shown?.className ?? '';
    const known = [...this.#class.options].some(({ value }) => value === wanted);
    if (!known) this.#class.append(el('option', { value: wanted }, wanted));
    this.#class.value = wanted;
  }
}
