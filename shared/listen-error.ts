import { RelayError } from './errors.ts';

/** What a service says when it cannot listen on its address: RelayError `port_in_use` or `listen_failed`. */
export function listenError(
  cause: Error & { readonly code?: string },
  address: { readonly host: string; readonly port: number },
): RelayError {
  const where = `${address.host} port ${address.port}`;
  if (cause.code === 'EADDRINUSE') {
    return new RelayError('port_in_use', `${where} is in use`, {
      hint: 'end the other program or set PORT to a free port',
      cause,
    });
  }
  return new RelayError('listen_failed', `cannot listen on ${where}: ${cause.message}`, {
    hint: 'check HOST and PORT',
    cause,
  });
}
