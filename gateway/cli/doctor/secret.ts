import type { GatewayConfig } from '../../config.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, note, fault } = findingsOf('secret');
const MEND = 'make one with `openssl rand -hex 32` and give it to the gateway and to the PHP side';
/** A random hex string of 32 characters has 8 different ones or more but for 1 in a million. */
const MIN_DISTINCT = 8;
const PLACEHOLDER = /change.?me|your.?secret|example|placeholder|openssl|password|xxxx|1234567|secret.?key/i;

/** The secret is the only thing between a stranger and a student's record. */
export function examineSecret({ secret }: Pick<GatewayConfig, 'secret'>): Finding[] {
  if (secret === null) {
    return [note('development_mode', 'no RELAY_JWT_SECRET: development mode, this machine only, tickets for anyone')];
  }
  if (secret !== secret.trim()) {
    return [
      fault('secret_has_spaces', 'RELAY_JWT_SECRET begins or ends with white space: PHP will sign with another', MEND),
    ];
  }
  if (PLACEHOLDER.test(secret) || new Set(secret).size < MIN_DISTINCT) {
    return [fault('secret_weak', 'RELAY_JWT_SECRET can be guessed: anyone could write metrics for any student', MEND)];
  }
  return [ok('RELAY_JWT_SECRET is long and looks random')];
}
