import './strict-csp.ts';
import { describeError, RelayError } from '../../shared/errors.ts';
import { answers } from '../../shared/report/answers.ts';
import { dateAt } from '../../shared/report/range.ts';
import { byId } from '../page/dom.ts';
import { Access } from './access.ts';
import { type Address, type Filter, hrefOf, type Place, readAddress } from './address.ts';
import { Api } from './api.ts';
import { el } from './element.ts';
import { Filters } from './filters.ts';
import { counted, offsetText } from './labels.ts';
import { LivePoll } from './live-poll.ts';
import type { View, ViewContext } from './view.ts';
import { liveView } from './views/live.ts';
import { modulesView, moduleView } from './views/modules.ts';
import { overviewView } from './views/overview.ts';
import { sectionView } from './views/section.ts';
import { sessionView } from './views/session.ts';
import { studentView } from './views/student.ts';
import { studentsView } from './views/students.ts';

const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const api = new Api(new Access());
const main = byId('main', HTMLElement);
const announcer = byId('announcer', HTMLElement);
let reader: ViewContext['reader'] | null = null;
let poll: LivePoll | null = null;
let leaving: (() => void)[] = [];
let turn = 0;

/** The present day of the database's calendar, by which days are counted everywhere. */
const today = () => dateAt(Date.now(), reader?.utcOffsetMs ?? 0);
const filters = new Filters(today, (filter) => go({ filter }));

function addressNow(): Address {
  return readAddress(location.hash, today());
}

function go(changes: { filter?: Filter; extra?: Readonly<Record<string, string>> }): void {
  const { place, filter } = addressNow();
  location.hash = hrefOf(place, changes.filter ?? filter, changes.extra ?? {});
}

function download(path: string, query: Readonly<Record<string, string | number | null | undefined>>): void {
  api.download(path, query).then(
    () => say('The CSV file is being saved'),
    (error: unknown) => showNotice(`The file could not be fetched. ${sentenceOf(error)}`),
  );
}

function say(text: string): void {
  announcer.textContent = text;
}

function sentenceOf(error: unknown): string {
  const text = error instanceof RelayError ? error.message : describeError(error);
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

function showNotice(text: string): void {
  const close = el('button', { type: 'button', class: 'button small' }, 'Close');
  const notice = el('div', { class: 'card notice', role: 'alert' }, el('p', {}, text), close);
  close.addEventListener('click', () => notice.remove());
  main.prepend(notice);
}

async function viewOf(context: ViewContext): Promise<View> {
  const { place } = context.address;
  switch (place.page) {
    case 'students':
      return studentsView(context);
    case 'student':
      return studentView(context, place.userId);
    case 'modules':
      return modulesView(context);
    case 'module':
      return moduleView(context, place.moduleId);
    case 'section':
      return sectionView(context, place.moduleId, place.sectionId);
    case 'session':
      return sessionView(context, place.sessionId);
    case 'live':
      poll ??= new LivePoll(api);
      return liveView(context, poll);
    default:
      return overviewView(context);
  }
}

/** Not for a teacher who may see figures of groups alone. */
const PAGES_WITH_NAMES: ReadonlySet<string> = new Set(['students', 'live']);

/** A student has one page and its sessions. */
function placeFor(address: Address, who: ViewContext['reader']): Place {
  if (who.role !== 'student' || address.place.page === 'session') return address.place;
  return { page: 'student', userId: who.userId };
}

function showFrame(address: Address, who: ViewContext['reader']): void {
  const { place, filter } = address;
  const staff = who.role !== 'student';
  const named = who.reads.kind !== 'groups';
  byId('nav', HTMLElement).hidden = !staff;
  const group = { student: 'students', module: 'modules', section: 'modules', session: 'students' } as const;
  const current = place.page in group ? group[place.page as keyof typeof group] : place.page;
  for (const link of document.querySelectorAll<HTMLAnchorElement>('#nav a')) {
    const page = link.dataset.page ?? '';
    link.hidden = !named && PAGES_WITH_NAMES.has(page);
    link.href = hrefOf({ page: page as 'overview' | 'students' | 'modules' | 'live' }, filter);
    if (page === current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  filters.show(filter, {
    hidden: place.page === 'live' || place.page === 'session',
    withClass: staff && named && place.page !== 'student',
  });
}

function failure(error: unknown): HTMLElement {
  const code = error instanceof RelayError ? error.code : '';
  const title =
    code === 'signed_out'
      ? 'Please sign in'
      : code.endsWith('_unknown')
        ? 'Nothing is stored here'
        : code.endsWith('_not_allowed')
          ? 'You may not see this report'
          : 'The report cannot be shown';
  const retry = el('button', { type: 'button', class: 'button primary' }, 'Try again');
  retry.addEventListener('click', () => void render());
  return el(
    'section',
    { class: 'card status', role: 'alert' },
    el('h1', { id: 'page-title', tabindex: '-1' }, title),
    el('p', {}, sentenceOf(error)),
    el('p', { class: 'controls' }, retry, el('a', { class: 'button', href: '#/' }, 'Overview')),
  );
}

function leave(): void {
  for (const task of leaving) task();
  leaving = [];
}

async function start(): Promise<ViewContext['reader']> {
  if (reader !== null) return reader;
  const who = await api.get(answers.me, '/api/v1/me');
  reader = who;
  byId('who', HTMLElement).textContent = who.name ?? `User ${who.userId}`;
  byId('clock', HTMLElement).textContent = offsetText(who.utcOffsetMs);
  if (who.role !== 'student' && who.reads.kind !== 'groups') {
    poll ??= new LivePoll(api);
    const badge = byId('live-count', HTMLElement);
    poll.listen((live) => {
      const number = live?.rows.length ?? 0;
      badge.hidden = number === 0;
      badge.textContent = String(number);
      badge.setAttribute('aria-label', `${counted(number, 'student')} now`);
    });
    // Without it one can still choose days.
    filters.loadClasses(api).then(
      () => showFrame(addressNow(), who),
      () => undefined,
    );
  }
  return who;
}

async function render(): Promise<void> {
  turn += 1;
  const mine = turn;
  main.setAttribute('aria-busy', 'true');
  const waiting = setTimeout(() => {
    if (main.childElementCount === 0) main.append(el('div', { class: 'card status' }, el('p', {}, 'Loading…')));
  }, 200);
  const tasks: (() => void)[] = [];
  let content: HTMLElement;
  let title = 'Reports';
  try {
    const who = await start();
    const asked = addressNow();
    const address = { ...asked, place: placeFor(asked, who) };
    showFrame(address, who);
    const { filter } = address;
    const view = await viewOf({
      api,
      address,
      timeZone,
      reader: who,
      link: (place, extra) => hrefOf(place, filter, extra),
      go,
      scope: { from: filter.from, to: filter.to, class: filter.className },
      download,
      onLeave: (task) => tasks.push(task),
    });
    content = view.content;
    title = view.title;
  } catch (error) {
    content = failure(error);
  } finally {
    clearTimeout(waiting);
  }
  if (mine !== turn) {
    for (const task of tasks) task();
    return;
  }
  leave();
  leaving = tasks;
  const moved = main.dataset.title !== title;
  main.dataset.title = title;
  document.title = `${title} · gaze-relay`;
  main.replaceChildren(content);
  main.removeAttribute('aria-busy');
  if (moved) {
    window.scrollTo(0, 0);
    if (turn > 1) document.getElementById('page-title')?.focus({ preventScroll: true });
  }
  say(`${title} is shown`);
}

window.addEventListener('hashchange', () => {
  // Another reader came by a link of the platform: nothing of the previous reader may stay.
  if (location.hash.startsWith('#ticket=')) location.reload();
  else void render();
});
byId('print', HTMLButtonElement).addEventListener('click', () => window.print());
void render();
