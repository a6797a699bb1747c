import { RelayError } from '../../shared/errors.ts';
import { developmentTicketUrl } from '../connection/addresses.ts';
import { scriptData } from './script-tag.ts';
import type { WebcamWebSocketOptions } from './types.ts';

/** Statuses with which a ticket page says that asking again is of no use: 400 and 404 where it names the error itself. */
function isRefusal(status: number, body: unknown): boolean {
  return status === 401 || status === 403 || ((status === 400 || status === 404) && messageIn(body) !== null);
}

/**
 * Fetches a ticket: the answer is JSON with a `ticket`. Rejects with RelayError `ticket_refused`
 * (not logged in, no consent, no such module) or `ticket_unavailable` (a temporary failure).
 */
export async function fetchTicket(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, {
      cache: 'no-store',
      credentials: 'same-origin',
      headers: { accept: 'application/json' },
    });
  } catch (error) {
    throw new RelayError('ticket_unavailable', 'The ticket page cannot be reached.', { cause: error });
  }
  const body: unknown = await response.json().catch(() => null);
  if (isRefusal(response.status, body)) {
    throw new RelayError('ticket_refused', messageIn(body) ?? 'Log in and accept the camera agreement first.');
  }
  if (!response.ok) {
    throw new RelayError(
      'ticket_unavailable',
      messageIn(body) ?? `The ticket page answered with status ${response.status}.`,
    );
  }
  const ticket = typeof body === 'object' && body !== null && 'ticket' in body ? body.ticket : null;
  if (typeof ticket !== 'string' || ticket === '') {
    throw new RelayError('ticket_unavailable', 'The ticket page answered without a ticket.', {
      hint: 'ticketUrl must answer with JSON {"ticket": "…"}',
    });
  }
  return ticket;
}

/** A ticket from the page's function, its ticket page, or the development gateway. */
export function obtainTicket(
  { getTicket, ticketUrl }: Pick<WebcamWebSocketOptions, 'getTicket' | 'ticketUrl'>,
  httpOrigin: string,
  userId: number | string,
  moduleId: number | string,
): Promise<string> {
  if (getTicket !== undefined) return Promise.resolve(getTicket());
  const url = ticketUrl ?? (scriptData('ticketUrl') || null);
  return fetchTicket(url === null ? developmentTicketUrl(httpOrigin, userId, moduleId) : ticketUrlFor(url, moduleId));
}

/** The school's ticket page for a module: `moduleId` is added unless the address has one. */
export function ticketUrlFor(url: string, moduleId: number | string): string {
  const full = new URL(url, document.baseURI);
  if (!full.searchParams.has('moduleId')) full.searchParams.set('moduleId', String(moduleId));
  return full.href;
}

/** The sentence in an error answer: `{error, message}`, `{error: {message}}` or `{error: "…"}`; null when there is none. */
function messageIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  if ('message' in body && typeof body.message === 'string') return body.message;
  const { error } = body;
  if (typeof error === 'string') return error;
  if (typeof error !== 'object' || error === null || !('message' in error)) return null;
  return typeof error.message === 'string' ? error.message : null;
}

/** A ticket that was fetched ahead is used for a connection if it is younger than this. */
const FRESH_MS = 60_000;

/** Tickets for a session's connections. The first is fetched before the camera opens: who refuses it knows why. */
export class TicketSource {
  readonly #fetch: () => Promise<string>;
  #ahead: { readonly ticket: string; readonly atMs: number } | null = null;

  constructor(fetch: () => Promise<string>) {
    this.#fetch = fetch;
  }

  /** Fetches one and keeps it for the next `take`. Rejects as `fetchTicket` does. */
  async fetchAhead(): Promise<string> {
    const ticket = await this.#fetch();
    this.#ahead = { ticket, atMs: performance.now() };
    return ticket;
  }

  /**
   * Why the school's ticket page does not let the student be tracked (not logged in, camera not agreed to); null where it
   * gives a ticket, or cannot be asked right now: then the connection asks again. Never rejects.
   */
  async refusal(): Promise<string | null> {
    try {
      await this.fetchAhead();
      return null;
    } catch (error) {
      return error instanceof RelayError && error.code === 'ticket_refused' ? error.message : null;
    }
  }

  /** A ticket for one connection. Rejects as `fetchTicket` does. */
  take(): Promise<string> {
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead !== null && performance.now() - ahead.atMs < FRESH_MS) return Promise.resolve(ahead.ticket);
    return this.#fetch();
  }
}
