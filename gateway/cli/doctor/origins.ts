import type { GatewayConfig } from '../../config.ts';
import { type Finding, findingsOf } from './finding.ts';

const { ok, note, fault, warning } = findingsOf('origins');
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Pages get a camera over HTTPS only, and a forgotten localhost lets any program of a student in. */
export function examineOrigins(config: Pick<GatewayConfig, 'development' | 'allowedOrigins'>): Finding[] {
  const { development, allowedOrigins } = config;
  if (development) return [note('development_mode', 'any page of this machine may connect')];
  if (allowedOrigins.length === 0) {
    return [
      fault('origins_empty', 'ALLOWED_ORIGINS names no origin: no page can connect', 'name the origin of the pages'),
    ];
  }
  const findings = allowedOrigins.flatMap((origin) => {
    const url = new URL(origin);
    if (LOOPBACK.has(url.hostname)) {
      return [warning('origin_loopback', `${origin} is allowed in production`, 'take it out of ALLOWED_ORIGINS')];
    }
    if (url.protocol === 'https:') return [];
    return [
      fault(
        'origin_not_https',
        `${origin} is not HTTPS: browsers give its pages no camera`,
        `serve the pages over HTTPS and write https://${url.host}`,
      ),
    ];
  });
  return findings.length > 0 ? findings : [ok(`pages of ${allowedOrigins.join(', ')} may connect`)];
}
