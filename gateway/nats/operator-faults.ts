/** Codes of natsFault() that only the operator can mend: trying again does not help. */
const OPERATOR_FAULTS = [
  'nats_refused',
  'nats_tls_failed',
  'nats_without_jetstream',
  'nats_too_few_servers',
  'nats_forbidden',
];

/** True for a fault that stays until the configuration of the gateway or of NATS is corrected. */
export function isOperatorFault(code: string): boolean {
  return OPERATOR_FAULTS.includes(code);
}
