/** Which pages may connect. */
export interface OriginPolicy {
  /** No secret is configured: loopback only. */
  readonly development: boolean;
  readonly allowedOrigins: readonly string[];
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * True when a browser page of this origin may connect. The list is what the operator configured,
 * never the request's own host; in development any loopback origin is fine.
 */
export function isAllowedOrigin(policy: OriginPolicy, origin: string): boolean {
  if (policy.allowedOrigins.includes(origin)) return true;
  return policy.development && URL.canParse(origin) && LOOPBACK.has(new URL(origin).hostname);
}

/** In development only loopback names are answered, so that no page can reach in by rebinding DNS. */
export function isAllowedHost(policy: OriginPolicy, host: string | undefined): boolean {
  if (!policy.development) return true;
  return host !== undefined && URL.canParse(`http://${host}`) && LOOPBACK.has(new URL(`http://${host}`).hostname);
}
