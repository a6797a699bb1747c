import { describeError, RelayError } from '../../shared/errors.ts';
import { developmentTicketUrl } from '../connection/addresses.ts';
import { ticketUrlFor } from '../widget/tickets.ts';
import { byId, setText, ticketUrlOfPage } from './dom.ts';
import { reportCsv } from './report-csv.ts';
import type { Report } from './report-data.ts';
import { fetchReport } from './report-source.ts';
import { showReport } from './report-view.ts';

/** What was just recorded reaches the store within seconds: asked again so often, that far apart. */
const ATTEMPTS = 8;
const PAUSE_MS = 1500;

const query = new URLSearchParams(location.search);
const sessionId = query.get('session') ?? '';
const userId = query.get('userId') ?? '1';
const moduleId = query.get('moduleId') ?? '1';

const status = byId('status', HTMLElement);
const retry = byId('retry', HTMLButtonElement);
const home = byId('home', HTMLAnchorElement);
let shown: Report | null = null;

function showStatus(title: string, text: string, offers: { retry?: boolean; home?: boolean } = {}): void {
  status.hidden = false;
  byId('report', HTMLElement).hidden = true;
  setText(byId('status-title', HTMLElement), title);
  setText(byId('status-text', HTMLElement), text);
  retry.hidden = offers.retry !== true;
  home.hidden = offers.home !== true;
}

async function load(): Promise<void> {
  if (sessionId === '') {
    showStatus('No session chosen', 'Open this page from the end of a session, or record one now.', { home: true });
    return;
  }
  showStatus('Loading the report', 'One moment.');
  const page = ticketUrlOfPage();
  const ticketUrl =
    page === null ? developmentTicketUrl(location.origin, userId, moduleId) : ticketUrlFor(page, moduleId);
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const report = await fetchReport(sessionId, ticketUrl);
      if (report !== null) {
        shown = report;
        status.hidden = true;
        showReport(report);
        byId('report-title', HTMLElement).focus({ preventScroll: true });
        return;
      }
      showStatus('Being stored', 'The session was recorded a moment ago and is on its way into the database.');
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    showStatus(
      'No such session',
      'Nothing is stored under this address. The session may be another student’s, too short to be counted, or deleted.',
      { retry: true, home: true },
    );
  } catch (error) {
    const text = error instanceof RelayError ? error.message : describeError(error);
    showStatus('The report cannot be shown', text, { retry: true, home: true });
  }
}

function download(): void {
  if (shown === null) return;
  const link = document.createElement('a');
  const url = URL.createObjectURL(new Blob([reportCsv(shown)], { type: 'text/csv;charset=utf-8' }));
  link.href = url;
  link.download = `focus-${shown.sessionId}.csv`;
  link.click();
  // The download has its own hold on the data once it has begun.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

retry.addEventListener('click', () => void load());
byId('csv', HTMLButtonElement).addEventListener('click', download);
// The chart's colours are painted: another colour scheme wants another painting.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  if (shown !== null) showReport(shown);
});
void load();
