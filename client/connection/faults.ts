import { describeError, RelayError } from '../../shared/errors.ts';
import type { Fault } from './link-state.ts';

/** No ticket: final where the school's page refused one, else tried again. */
export function ticketFault(error: unknown): Fault {
  const refused = error instanceof RelayError && error.code === 'ticket_refused';
  return {
    code: refused ? 'ticket_refused' : 'ticket_unavailable',
    message: describeError(error),
    fatal: true,
    retry: !refused,
    seq: null,
  };
}

/** The browser takes no such address for a socket. */
export function addressFault(error: unknown): Fault {
  return { code: 'address_invalid', message: describeError(error), fatal: true, retry: true, seq: null };
}

/** A message of the gateway that cannot be read: it is passed over. */
export function messageFault(error: RelayError): Fault {
  return { code: error.code, message: error.message, fatal: false, retry: false, seq: null };
}
