import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { RelayError } from '../../shared/errors.ts';

/** Codes of JetStream's API errors that say: fewer servers than copies. */
const TOO_FEW_SERVERS = [10_005, 10_074];
const NOT_ENABLED = 10_039;

const nameOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The client does not export every class of its errors. */
const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name;

/** The error itself or one that caused it, if it is of a class. */
function causeOf<T extends Error>(error: unknown, kind: abstract new (...given: never[]) => T): T | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof kind) return cause;
  }
  return null;
}

function isTls(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = 'code' in cause ? String(cause.code) : '';
    if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) return true;
    if (/\btls\b/i.test(cause.message)) return true;
  }
  return false;
}

/**
 * The fault behind an error of the NATS client, as RelayError with one of the codes `nats_unreachable`, `nats_refused`,
 * `nats_tls_failed`, `nats_without_jetstream`, `nats_too_few_servers`, `nats_forbidden`, `nats_failed`.
 * `servers` are named in the message. A RelayError is returned as it is.
 */
export function natsFault(error: unknown, servers: readonly string[]): RelayError {
  if (error instanceof RelayError) return error;
  const at = servers.join(', ');
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return new RelayError('nats_refused', `NATS at ${at} refuses the credentials`, {
      hint: 'correct user and password in NATS_URL, or NATS_CREDS_FILE',
      cause: error,
    });
  }
  if (isTls(error)) {
    return new RelayError('nats_tls_failed', `no TLS with NATS at ${at}: ${nameOf(error)}`, {
      hint: 'check tls:// or nats:// in NATS_URL, NATS_CA_FILE, and the host names in the certificate of the servers',
      cause: error,
    });
  }
  const violation = causeOf(error, errors.PermissionViolationError);
  if (violation !== null) {
    return new RelayError(
      'nats_forbidden',
      `NATS does not let this user ${violation.operation === 'publish' ? 'publish to' : 'subscribe to'} ${violation.subject}`,
      {
        hint: 'give the user publish and subscribe on NATS_PREFIX.>, $JS.API.>, $JS.ACK.>, $KV.> and _INBOX.>',
        cause: error,
      },
    );
  }
  const apiCode = error instanceof JetStreamApiError ? error.code : null;
  if (isNamed(error, 'JetStreamNotEnabled') || apiCode === NOT_ENABLED) {
    return new RelayError('nats_without_jetstream', `NATS at ${at} has no JetStream for this user`, {
      hint: "start nats-server with jetstream { store_dir: … }, and enable JetStream for the user's account",
      cause: error,
    });
  }
  if (apiCode !== null && TOO_FEW_SERVERS.includes(apiCode)) {
    return new RelayError('nats_too_few_servers', `NATS at ${at} cannot keep that many copies: ${nameOf(error)}`, {
      hint: 'run three servers as one cluster, or set NATS_REPLICAS=1',
      cause: error,
    });
  }
  if (
    error instanceof errors.ConnectionError ||
    error instanceof errors.TimeoutError ||
    error instanceof errors.ClosedConnectionError ||
    error instanceof errors.DrainingConnectionError ||
    error instanceof errors.RequestError ||
    (error instanceof Error && 'code' in error && apiCode === null)
  ) {
    return new RelayError('nats_unreachable', `NATS at ${at} does not answer: ${nameOf(error)}`, {
      hint: 'check NATS_URL, that the servers run and are no other service, and with TLS whether they want NATS_CERT_FILE',
      cause: error,
    });
  }
  return new RelayError('nats_failed', `NATS at ${at}: ${nameOf(error)}`, { cause: error });
}
