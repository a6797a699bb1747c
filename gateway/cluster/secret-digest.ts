import { createHmac } from 'node:crypto';
import type { Secret } from '../auth/tokens.ts';

/** Tells gateways with other secrets, without telling the secret. */
export function digestOf(secret: Secret): string {
  const current = typeof secret === 'string' ? secret : (secret[0] ?? '');
  return createHmac('sha256', current).update('gaze-relay gateways').digest('base64url').slice(0, 16);
}
