import { RelayError } from '../../shared/errors.ts';
import { fetchTicket } from '../widget/tickets.ts';
import { parseReport, type Report } from './report-data.ts';

/**
 * Fetches a session's report with a fresh ticket. Resolves with null while nothing is stored of the
 * session. Rejects with RelayError: `ticket_refused`, `ticket_unavailable`, `gateway_unreachable`,
 * or the gateway's own code.
 */
export async function fetchReport(sessionId: string, ticketUrl: string): Promise<Report | null> {
  const ticket = await fetchTicket(ticketUrl);
  let response: Response;
  try {
    response = await fetch(`/api/v1/sessions/${encodeURIComponent(sessionId)}`, {
      cache: 'no-store',
      headers: { authorization: `Bearer ${ticket}` },
    });
  } catch (cause) {
    throw new RelayError('gateway_unreachable', 'The server cannot be reached. Check the internet connection.', {
      cause,
    });
  }
  if (response.status === 404) return null;
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw refusal(body, response.status);
  const report = parseReport(body);
  if (report === null) {
    throw new RelayError('report_unreadable', 'The server answered with something that is no report.', {
      hint: 'page and server may be of different versions: reload the page',
    });
  }
  return report;
}

function refusal(body: unknown, status: number): RelayError {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
    return new RelayError(String(error.code), String(error.message));
  }
  return new RelayError('report_refused', `The server answered with status ${status}.`);
}
