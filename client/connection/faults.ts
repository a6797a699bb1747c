import { describeError, RelayError } from '../../shared/errors.ts';
import type { Fault } from './link-state.ts';

/** No ticket: final if the school's page refused it, otherwise retried. */
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

/** The browser refuses the address. */
export function addressFault(error: unknown): Fault {
  return { code: 'address_invalid', message: describeError(error), fatal: true, retry: true, seq: null };
}

/** A message of the gateway that cannot be read: it is ignored. */
export function messageFault(error: RelayError): Fault {
  return { code: error.code, message: error.message, fatal: false, retry: false, seq: null };
}
