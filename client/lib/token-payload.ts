/** The payload of a signed token (JWT), which the gateway checks. Throws where it is no token. */
export function tokenPayload(token: string): Readonly<Record<string, unknown>> {
  const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return JSON.parse(atob(payload));
}
