import { RelayError } from '../../shared/errors.ts';

/** An answer that is no success: a status and the stable code that goes with it. */
export class HttpFault extends RelayError {
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 426 | 429 | 503;

  constructor(status: HttpFault['status'], code: string, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** Body of every error answer. */
export function fault(code: string, message: string) {
  return { error: { code, message } };
}
