import { RelayError } from '../../shared/errors.ts';
import { answers } from '../../shared/report/answers.ts';
import { ticketUrlOfPage } from '../page/dom.ts';
import { fetchTicket, ticketUrlFor } from '../widget/tickets.ts';

/** Links for another person or role have another query, and must not show what the person before may see. */
const STORED = `gaze-relay.reader${location.search}`;
/** A token that is about to expire is not used any more. */
const SPARE_MS = 60_000;

interface Held {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Takes a ticket out of the address (`/reports#ticket=…`), so that it stays in no history and no bookmark. */
function ticketInAddress(): string | null {
  const ticket = new URLSearchParams(location.hash.slice(1)).get('ticket');
  if (ticket === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return ticket;
}

function stored(): Held | null {
  const parsed = answers.token.safeParse(JSON.parse(sessionStorage.getItem(STORED) ?? 'null'));
  return parsed.success && parsed.data.expiresAtMs - SPARE_MS > Date.now() ? parsed.data : null;
}

/** True where this page comes from a development gateway, which gives tickets to anyone on its machine. */
async function isDevelopment(): Promise<boolean> {
  const answer: unknown = await fetch('/api/health').then((response) => response.json());
  return typeof answer === 'object' && answer !== null && 'development' in answer && answer.development === true;
}

/**
 * Where tickets come from: the school's page that the operator wrote into this one, or the development gateway. Null
 * where there is neither: the platform's own link brings the ticket.
 */
async function ticketUrl(): Promise<string | null> {
  const page = ticketUrlOfPage();
  const query = new URLSearchParams(location.search);
  const moduleId = query.get('moduleId');
  if (page !== null) return moduleId === null ? new URL(page, document.baseURI).href : ticketUrlFor(page, moduleId);
  if (!(await isDevelopment())) return null;
  const asked = new URLSearchParams({ role: query.get('role') ?? 'teacher', userId: query.get('userId') ?? '1' });
  return `${location.origin}/dev/ticket?${asked}`;
}

async function exchange(ticket: string): Promise<Held> {
  const response = await fetch('/api/v1/reader-token', {
    method: 'POST',
    headers: { authorization: `Bearer ${ticket}` },
  });
  const parsed = answers.token.safeParse(await response.json().catch(() => null));
  if (!parsed.success) {
    throw new RelayError('signed_out', 'The link has expired. Open the reports from the learning platform again.');
  }
  return parsed.data;
}

/**
 * The token that reads reports: from this tab's memory, or in exchange for a ticket. Rejects with RelayError
 * `signed_out` when there is no ticket to be had.
 */
export class Access {
  #held: Held | null = null;
  #asking: Promise<Held> | null = null;

  async token(): Promise<string> {
    const given = ticketInAddress();
    if (given !== null) {
      this.forget();
      this.#asking = exchange(given);
    }
    this.#held ??= this.#asking === null ? stored() : null;
    if (this.#held !== null && this.#held.expiresAtMs - SPARE_MS > Date.now()) return this.#held.token;
    this.#asking ??= this.#ask();
    try {
      this.#held = await this.#asking;
      sessionStorage.setItem(STORED, JSON.stringify(this.#held));
      return this.#held.token;
    } finally {
      this.#asking = null;
    }
  }

  /** The token is not taken any more. */
  forget(): void {
    this.#held = null;
    sessionStorage.removeItem(STORED);
  }

  async #ask(): Promise<Held> {
    let ticket: string;
    try {
      const url = await ticketUrl();
      if (url === null) throw new Error('no ticket page');
      ticket = await fetchTicket(url);
    } catch (cause) {
      throw new RelayError(
        'signed_out',
        'Reports open from the learning platform: sign in there as an admin or teacher and follow its link “Focus reports”.',
        { cause },
      );
    }
    return exchange(ticket);
  }
}
