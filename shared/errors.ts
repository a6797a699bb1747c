/**
 * The product's one error type. `code` is stable and machine-readable, `message` says what is
 * wrong, `hint` says what to do about it.
 */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: string;
  readonly hint: string | null;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
  }
}

/** Text of an error for a log line or a person: `CODE: message (hint)`. Never throws. */
export function describeError(error: unknown): string {
  if (error instanceof RelayError) {
    return `${error.code}: ${error.message}${error.hint === null ? '' : ` (${error.hint})`}`;
  }
  return error instanceof Error ? error.message : String(error);
}
